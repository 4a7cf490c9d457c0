//! Faults that the sanitizers must report, or they see nothing: `planted leak`, `planted use`.

fn main() {
    let fault = std::env::args().nth(1);
    match fault.as_deref() {
        Some("leak") => std::mem::forget(std::hint::black_box(vec![0_u8; 1000])),
        Some("use") => {
            let freed = std::hint::black_box(Box::into_raw(Box::new(7_u8)));
            // SAFETY: none. This is the fault.
            unsafe {
                drop(Box::from_raw(freed));
                println!("{}", std::ptr::read_volatile(freed));
            }
        }
        _ => println!("no fault"),
    }
}
