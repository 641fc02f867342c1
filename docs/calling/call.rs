// rustc -O call.rs -C link-arg=package/lib.so -C link-arg=-Wl,-rpath,package
use std::ffi::{c_char, c_int, c_void, CStr, CString};

#[repr(C)]
struct Array {
    name: *const c_char,
    kind: *const c_char,
    shape: *const i64,
    axes: i32,
    bytes: usize,
}

#[repr(C)]
struct Network {
    inputs: usize,
    outputs: usize,
    arrays: *const Array,
}

extern "C" {
    fn network_open(weights: *const c_char, threads: c_int) -> *mut Network;
    fn network_run(net: *mut Network, inputs: *const *const c_void, outputs: *const *mut c_void) -> c_int;
    fn network_close(net: *mut Network);
    fn network_error() -> *const c_char;
}

fn main() {
    let weights = CString::new(std::env::args().nth(1).expect("the file of weights")).unwrap();
    unsafe {
        let net = network_open(weights.as_ptr(), 0);
        if net.is_null() {
            panic!("{}", CStr::from_ptr(network_error()).to_string_lossy());
        }
        // One input and one output, of float32.
        let input = vec![1f32; (*(*net).arrays).bytes / 4];
        let mut output = vec![0f32; (*(*net).arrays.add(1)).bytes / 4];
        let inputs = [input.as_ptr() as *const c_void];
        let outputs = [output.as_mut_ptr() as *mut c_void];
        if network_run(net, inputs.as_ptr(), outputs.as_ptr()) != 0 {
            panic!("{}", CStr::from_ptr(network_error()).to_string_lossy());
        }
        network_close(net);
        output.iter().for_each(|number| println!("{number}"));
    }
}
