//! A ministack of our own: on its own port, with its own temporary folder, gone when dropped.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use simulator::ReservedPort;

/// A running ministack.
pub(crate) struct Ministack {
    process: Child,
    port: u16,
    folder: PathBuf,
}

impl Ministack {
    pub(crate) fn start() -> Self {
        let program = program();
        let reserved = ReservedPort::new().unwrap();
        let port = reserved.port();
        let name = format!("ministack-{}-{port}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let mut process = Command::new(&program)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &folder)
            .env("TMPDIR", &folder)
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("MINISTACK_HOST", "127.0.0.1")
            .env("AWS_ENDPOINT_URL", &url)
            .env("MINISTACK_ACCOUNT_ID", super::ACCOUNT)
            .env("MINISTACK_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0")
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", program.display()));
        let mut lines =
            BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let ministack = Self { process, port, folder };
        let ready = lines.by_ref().any(|it| it.contains("Running on"));
        // The rest of its output is not needed, but has to be read.
        thread::spawn(move || lines.for_each(drop));
        assert!(ready, "ministack does not start");
        ministack
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        let _ended_already = self.process.kill();
        let _reaped_already = self.process.wait();
        let _gone_already = fs::remove_dir_all(&self.folder);
    }
}

#[expect(clippy::disallowed_methods, reason = "a test has no `main` that passes it on")]
fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("MINISTACK") {
        return PathBuf::from(program);
    }
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/ministack");
    let hint = "ministack is missing: run `make venv`, or set MINISTACK to the program";
    assert!(program.is_file(), "{hint}");
    program
}
