//! Faults that the sanitizers must report, or they see nothing: `planted leak`, `use`, `race`, `relaxed`.
//!
//! `planted none` has no fault, and uses what std has for threads: a sanitizer that reports something of it does not
//! understand std.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex, OnceLock, mpsc};
use std::thread;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("leak") => std::mem::forget(black_box(vec![0_u8; 1000])),
        Some("use") => use_after_free(),
        Some("race") => race(),
        Some("relaxed") => publish(Ordering::Relaxed),
        Some("none") => no_fault(),
        _ => panic!("which fault?"),
    }
}

fn use_after_free() {
    let freed = black_box(Box::into_raw(Box::new(7_u8)));
    // SAFETY: none. This is the fault.
    unsafe {
        drop(Box::from_raw(freed));
        println!("{}", std::ptr::read_volatile(freed));
    }
}

/// Two threads write the same number, without a lock.
fn race() {
    static mut SHARED: u64 = 0;
    let write = || {
        for _ in 0..1000 {
            // SAFETY: none. This is the fault.
            unsafe { SHARED += 1 }
        }
    };
    for thread in [thread::spawn(write), thread::spawn(write)] {
        thread.join().unwrap();
    }
}

/// One thread writes a number and then sets a flag, which another waits for before it reads the number. That is enough
/// if the flag is set with `Release`, but not with `Relaxed`.
fn publish(set: Ordering) {
    static READY: AtomicBool = AtomicBool::new(false);
    static mut SHARED: u64 = 0;
    READY.store(false, Ordering::SeqCst);
    let reader = thread::spawn(|| {
        while !READY.load(Ordering::Acquire) {
            thread::yield_now();
        }
        // SAFETY: none if the flag is set with `Relaxed`. That is the fault.
        unsafe { black_box(SHARED) }
    });
    // SAFETY: as above.
    unsafe { SHARED = 7 }
    READY.store(true, set);
    reader.join().unwrap();
}

fn no_fault() {
    publish(Ordering::Release);

    let shared = Arc::new((Mutex::new(0), Condvar::new(), Barrier::new(4), OnceLock::new()));
    let (sender, receiver) = mpsc::channel();
    let threads = [(); 4].map(|()| {
        let (shared, sender) = (Arc::clone(&shared), sender.clone());
        thread::spawn(move || {
            let (count, changed, all_there, first) = &*shared;
            all_there.wait();
            first.get_or_init(|| vec![1_u8; 100]);
            for _ in 0..1000 {
                *count.lock().unwrap() += 1;
                changed.notify_one();
            }
            sender.send(Box::new(1)).unwrap();
        })
    });
    let (count, changed, _, first) = &*shared;
    drop(changed.wait_while(count.lock().unwrap(), |count| *count < 4000).unwrap());
    assert_eq!((0..4).map(|_| *receiver.recv().unwrap()).sum::<i32>(), 4);
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(first.get().unwrap().len(), 100);
    println!("no fault");
}
