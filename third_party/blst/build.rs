//! Copies blst's C headers from the crate to the folder named by CC_BLST_INCLUDE.
use std::{env, fs, path::Path};

fn main() {
    println!("cargo:rerun-if-env-changed=CC_BLST_INCLUDE");
    let source = env::var("DEP_BLST_BINDINGS").expect("the blst crate names its header folder");
    if let Ok(target) = env::var("CC_BLST_INCLUDE") {
        fs::create_dir_all(&target).expect("the header folder can be made");
        for name in ["blst.h", "blst_aux.h"] {
            fs::copy(Path::new(&source).join(name), Path::new(&target).join(name)).expect(name);
        }
    }
}
