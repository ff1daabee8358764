//! What the live commands say before they begin: whose organization they read, and why they cannot.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rcgen::CertifiedKey;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use simulator::{Fault, Settings};
use tests::command::{command, on_terminal, org_backup, ran};
use tests::organization::{Organization, backed_up};
use tests::role::STATE_BUCKET;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncWriteExt as _, BufStream, copy_bidirectional,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::member_accounts::{MANAGEMENT, ROLE};
use crate::report::protected;

/// Every command that calls AWS, as far as it needs arguments.
const LIVE: [&[&str]; 10] = [
    &["doctor"],
    &["plan"],
    &["report"],
    &["coverage"],
    &["explain", VOLUME],
    &["effective", "--live", "111122223333"],
    &["points", VOLUME],
    &["backup", VOLUME],
    &["restore", "arn:aws:ec2:eu-west-1::snapshot/snap-1"],
    &["recover", "--account", "111122223333", "--into", "444455556666"],
];

const VOLUME: &str = "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1";

/// The commands whose `--region` is not the Region of the stacks.
const OF_RESOURCES: [&str; 4] = ["points", "backup", "restore", "recover"];

fn profiles(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[tokio::test]
async fn every_live_command_says_first_whose_organization_it_reads() {
    let organization = protected().await;
    let id = organization.organization(|it| it.id.clone());
    for arguments in LIVE {
        let run = org_backup(&organization, arguments).await;
        let first = run.printed[1].lines().next().unwrap_or_default();
        let begin = format!("reading: the organization {id} of the account {MANAGEMENT}, as arn:");
        assert!(first.starts_with(&begin), "{arguments:?}: {first}");
        assert!(first.ends_with(&format!(", from {}", organization.region())), "{first}");
        let said = run.printed[1].lines().filter(|it| it.starts_with("reading: the organization"));
        assert_eq!(said.count(), 1, "{arguments:?}: {}", run.printed[1]);
    }
}

#[tokio::test]
async fn every_live_command_asks_once_who_is_calling_and_which_organization_that_is() {
    let organization = protected().await;
    for arguments in LIVE {
        organization.clear_journal();
        let _ = org_backup(&organization, arguments).await;
        for operation in ["GetCallerIdentity", "DescribeOrganization"] {
            let calls = organization.journal();
            let count = calls.iter().filter(|it| it.operation == operation).count();
            assert_eq!(count, 1, "{arguments:?} calls {operation}");
        }
    }
}

#[tokio::test]
async fn a_profile_that_is_named_wins_over_the_environment() {
    let organization = protected().await;
    let other = organization.id("production-001");
    let file = profiles(&format!(
        "[profile other]\naws_access_key_id = {other}\naws_secret_access_key = secret\n"
    ));
    let run = async |profile: &str| {
        let mut command = command(&organization, MANAGEMENT);
        command.args(["doctor", "--profile", profile]).env("AWS_CONFIG_FILE", file.path());
        ran(&organization, command).await
    };
    let run_as_other = run("other").await;
    let first = run_as_other.printed[1].lines().next().unwrap_or_default();
    assert!(first.contains(&format!("::{other}:")), "{first}");

    // Its credentials lose against those of the environment, but it has to exist.
    let run_of = async |profile: &str| {
        let mut command = command(&organization, MANAGEMENT);
        command.args(["doctor"]).env("AWS_CONFIG_FILE", file.path()).env("AWS_PROFILE", profile);
        ran(&organization, command).await
    };
    let known = run_of("other").await;
    assert!(known.printed[1].contains(&format!("::{MANAGEMENT}:")), "{}", known.printed[1]);
    let unknown = run_of("nope").await;
    assert_eq!(unknown.code, 2, "{}", unknown.text);
    assert!(unknown.notes.contains("there is no profile `nope`"), "{}", unknown.notes);

    let unknown = run("nope").await;
    assert_eq!(unknown.code, 2, "{}", unknown.text);
    let words = "error: there is no profile `nope` in the configuration of the AWS CLI; hint: name \
                 one of `other`";
    assert!(unknown.notes.contains(words), "{}", unknown.notes);
    assert!(unknown.text.is_empty(), "{}", unknown.text);
}

#[tokio::test]
async fn without_credentials_or_a_region_every_command_says_what_to_do() {
    let organization = Organization::bare(Settings::default()).await;
    for arguments in LIVE {
        let mut nobody = command(&organization, MANAGEMENT);
        nobody.args(arguments).env_remove("AWS_ACCESS_KEY_ID");
        let run = ran(&organization, nobody).await;
        assert_eq!(run.code, 2, "{arguments:?}");
        assert!(run.notes.contains("there are no credentials"), "{}", run.notes);
        assert!(run.notes.contains("hint: log in"), "{}", run.notes);

        let mut nowhere = command(&organization, MANAGEMENT);
        nowhere.args(arguments).env_remove("AWS_REGION");
        let run = ran(&organization, nowhere).await;
        assert_eq!(run.code, 2, "{arguments:?}");
        assert!(run.notes.contains("error: no Region is named; hint:"), "{}", run.notes);
        let is_of_stacks = !OF_RESOURCES.contains(&arguments[0]);
        assert_eq!(run.notes.contains("--region"), is_of_stacks, "{}", run.notes);
    }
}

#[tokio::test]
async fn what_cannot_be_reached_is_an_error_within_ten_seconds() {
    let organization = Organization::bare(Settings::default()).await;
    // A port at which nobody listens any more.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    // It answers in the place of AWS.
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let others = other.local_addr().unwrap();
    let other = tokio::spawn(answer_nothing(other));
    let nothing = "nothing came within 9 seconds";
    for (address, words) in [
        (closed, "AWS could not be reached"),
        (silent.local_addr().unwrap(), nothing),
        (others, "AWS answered 404 with an empty body"),
    ] {
        let begun = Instant::now();
        let runs = LIVE.map(|arguments| {
            let mut command = command(&organization, MANAGEMENT);
            command.args(arguments).env("AWS_ENDPOINT_URL", format!("http://{address}"));
            ran(&organization, command)
        });
        for run in futures_util::future::join_all(runs).await {
            assert_eq!(run.code, 2, "{}", run.notes);
            assert!(run.notes.contains(words), "{}", run.notes);
            let is_slow = address != others;
            assert!(!is_slow || run.notes.contains("connecting to AWS"), "{}", run.notes);
        }
        // Several run at once here, beside other tests.
        assert!(begun.elapsed() < Duration::from_secs(18), "{words}: {:?}", begun.elapsed());
    }
    other.abort();
}

/// Answers every request with 404 and an empty body.
async fn answer_nothing(listener: tokio::net::TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let mut stream = BufStream::new(stream);
        let _ = head(&mut stream).await;
        let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let _ = stream.write_all(answer).await;
        let _ = stream.shutdown().await;
    }
}

/// Reads the first lines of a request, up to the empty one.
async fn head(stream: &mut (impl AsyncBufRead + Unpin)) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await.unwrap_or_default() > 0 {
    }
    head
}

/// A host of HTTPS that stands for AWS, and a proxy on loopback.
struct Beyond {
    /// The URL of the host.
    url: String,
    /// The URL of the proxy.
    proxy: String,
    /// The file of the authority that certifies the host.
    authority: tempfile::NamedTempFile,
    /// The first lines of the requests that the proxy got.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Beyond {
    async fn of(organization: &Organization) -> Self {
        let names = ["localhost".to_owned()];
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let tls = ServerConfig::builder().with_no_client_auth();
        let tls = tls.with_single_cert(vec![cert.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let simulator = organization.url().trim_start_matches("http://").to_owned();
        let host = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = host.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = host.accept().await {
                let (acceptor, simulator) = (acceptor.clone(), simulator.clone());
                tokio::spawn(async move {
                    let mut stream = acceptor.accept(stream).await?;
                    let mut simulator = TcpStream::connect(&simulator).await?;
                    copy_bidirectional(&mut stream, &mut simulator).await
                });
            }
        });
        let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", proxy.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = proxy.accept().await {
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    let mut stream = BufStream::new(stream);
                    let head = head(&mut stream).await;
                    let first = head.lines().next().unwrap_or_default().to_owned();
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push(first);
                    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                    stream.flush().await?;
                    let mut host = TcpStream::connect(at).await?;
                    copy_bidirectional(&mut stream, &mut host).await
                });
            }
        });
        let mut authority = tempfile::NamedTempFile::new().unwrap();
        authority.write_all(cert.pem().as_bytes()).unwrap();
        let host = format!("https://localhost:{}", at.port());
        Self { url: host, proxy: url, authority, asked }
    }

    /// Takes the first lines of the requests that the proxy got since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[tokio::test]
async fn a_proxy_is_used_unless_the_host_needs_none_and_authorities_count_where_they_are_named() {
    let organization = protected().await;
    let beyond = Beyond::of(&organization).await;
    let run = async |variables: &[(&str, &str)]| {
        let mut command = command(&organization, MANAGEMENT);
        command.args(["effective", "--live", MANAGEMENT]).env("AWS_ENDPOINT_URL", &beyond.url);
        for name in ["HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        command.envs(variables.iter().copied());
        ran(&organization, command).await
    };
    let authority = ("AWS_CA_BUNDLE", beyond.authority.path().to_str().unwrap());
    let proxy = ("HTTPS_PROXY", beyond.proxy.as_str());
    let through = run(&[authority, proxy]).await;
    assert_eq!(through.code, 0, "{}", through.notes);
    let asked = beyond.asked();
    let tunnel = format!("CONNECT {} HTTP/1.1", beyond.url.trim_start_matches("https://"));
    assert!(!asked.is_empty() && asked.iter().all(|it| *it == tunnel), "{asked:?}");

    let straight = run(&[authority, proxy, ("NO_PROXY", "localhost")]).await;
    assert_eq!(straight.code, 0, "{}", straight.notes);
    assert_eq!(straight.text, through.text);
    assert!(beyond.asked().is_empty());

    let stranger = run(&[proxy]).await;
    assert_eq!(stranger.code, 2, "{}", stranger.text);
    assert!(stranger.notes.contains("UnknownIssuer"), "{}", stranger.notes);
}

#[tokio::test]
async fn somebody_who_waits_is_told_after_two_seconds() {
    let organization = Organization::bare(Settings::default()).await;
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = command(&organization, MANAGEMENT);
    let url = format!("http://{}", silent.local_addr().unwrap());
    command.arg("doctor").env("AWS_ENDPOINT_URL", url).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(first.starts_with("note: connecting to AWS in "), "{first}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn the_state_bucket_is_found_by_the_export_of_the_bootstrap_stack() {
    let organization = protected().await;
    let region = organization.region();
    let exporting = |name: &str, bucket: &str| simulator::Stack {
        name: name.to_owned(),
        status: "CREATE_COMPLETE".to_owned(),
        exports: [(format!("{name}-StateBucketName"), bucket.to_owned())].into(),
        ..simulator::Stack::default()
    };
    let run = async || {
        let mut command = command(&organization, MANAGEMENT);
        command.args(["doctor", "--json"]);
        ran(&organization, command).await
    };
    let without = run().await;
    assert!(!without.notes.contains(STATE_BUCKET), "{}", without.notes);
    organization.stacks(|it| it.put(&region, exporting("org-backup", STATE_BUCKET)));
    let found = run().await;
    let words = format!("reading: the state bucket `{STATE_BUCKET}`");
    assert!(found.printed[1].contains(&words), "{}", found.notes);
    organization.stacks(|it| it.put(&region, exporting("second", "another-bucket")));
    let several = run().await;
    assert!(several.notes.contains("there are several state buckets"), "{}", several.notes);
}

#[tokio::test]
async fn a_state_bucket_without_an_export_is_found_by_its_tag_if_it_is_the_only_one() {
    let organization = protected().await;
    let region = organization.region();
    let run = async || {
        let mut command = command(&organization, MANAGEMENT);
        command.args(["doctor", "--json"]);
        ran(&organization, command).await
    };
    let tagged = |bucket: &str| {
        let arn = format!("arn:aws:s3:::{bucket}");
        let tag = Some(("org-backup:state", "org-backup"));
        organization.put_resource(backed_up(&arn, "S3", MANAGEMENT, &region, tag));
    };
    let other = ("org-backup:owner", "somebody");
    let bucket = backed_up("arn:aws:s3:::other", "S3", MANAGEMENT, &region, Some(other));
    organization.put_resource(bucket);
    let without = run().await;
    assert!(!without.printed[1].contains("the state bucket `"), "{}", without.printed[1]);
    tagged(STATE_BUCKET);
    let words = format!("reading: the state bucket `{STATE_BUCKET}`, which has the tag");
    let found = run().await;
    assert!(found.printed[1].contains(&words), "{}", found.printed[1]);

    // The exports are not needed for that, and nothing is known if neither can be listed.
    organization.fail(Fault::error("ListExports", "AccessDenied").status(403).forever());
    let found = run().await;
    assert!(found.printed[1].contains(&words), "{}", found.printed[1]);
    organization.fail(Fault::error("GetResources", "AccessDeniedException").forever());
    let denied = run().await;
    assert!(denied.notes.contains("cannot look for the state bucket: "), "{}", denied.notes);
    organization.clear_faults();

    tagged("another-bucket");
    let several = run().await;
    let words = "there are several state buckets: ";
    let named = several.notes.lines().find(|it| it.contains(words)).unwrap_or_default();
    for it in [STATE_BUCKET, "another-bucket"] {
        assert!(named.contains(&format!("`{it}`")), "{}", several.notes);
    }
    assert!(!several.printed[1].contains("reading: the state bucket"), "{}", several.notes);
}

#[tokio::test]
async fn a_misspelt_bucket_or_role_is_not_all_well() {
    let organization = protected().await;
    let report = async |arguments: &[&str]| {
        let mut command = command(&organization, MANAGEMENT);
        command.arg("report").args(arguments);
        ran(&organization, command).await
    };
    let well = report(&["--state-bucket", STATE_BUCKET, "--member-role", ROLE]).await;
    assert_eq!(well.code, 0, "{}\n{}", well.text, well.notes);
    for wrong in [
        ["--state-bucket", "org-backup-stat", "--member-role", ROLE],
        ["--state-bucket", STATE_BUCKET, "--member-role", "org-backup-membre"],
    ] {
        let run = report(&wrong).await;
        assert_eq!(run.code, 2, "{wrong:?}: {}\n{}", run.text, run.notes);
        assert!(run.notes.contains("could not be completed"), "{}", run.notes);
    }
}

/// The account whose vault is deleted in the tests of the table.
const POOR: &str = "production-001";

async fn poor() -> Organization {
    let organization = protected().await;
    let account = organization.id(POOR);
    organization.backup(|it| it.vaults_mut().delete(&account, "eu-west-1", "org-backup"));
    organization
}

/// The widths of terminals, each with a value of `NO_COLOR`. An empty one counts as none.
const TERMINALS: [(u16, &str); 6] =
    [(80, ""), (80, "1"), (100, ""), (100, "1"), (140, ""), (140, "1")];

#[tokio::test]
async fn a_terminal_gets_an_excerpt_with_colours_unless_it_wants_none() {
    let organization = Organization::bare(Settings::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("daily.json");
    std::fs::write(&policy, r#"{"plan": {}}"#).unwrap();
    for (columns, no_colour) in TERMINALS {
        let mut check = command(&organization, MANAGEMENT);
        check.arg("check").arg(&policy).env("NO_COLOR", no_colour);
        let run = ran(&organization, on_terminal(columns, &check)).await;
        let shown = &run.printed[0];
        assert_eq!(run.code, 1, "{shown}");
        assert!(shown.contains("did you mean `plans`?") && shown.contains('^'), "{shown}");
        assert_eq!(shown.contains("\u{1b}["), no_colour.is_empty(), "{columns}: {shown:?}");
    }
    let mut piped = command(&organization, MANAGEMENT);
    piped.arg("check").arg(&policy).env("NO_COLOR", "");
    let run = ran(&organization, piped).await;
    assert!(!run.printed.concat().contains('\u{1b}'), "{:?}", run.printed);
}

#[tokio::test]
async fn a_cause_of_many_accounts_says_how_to_see_all_of_them() {
    let organization = protected().await;
    organization
        .organization(|it| it.accounts().map(|it| it.id.clone()).collect::<Vec<_>>())
        .iter()
        .for_each(|account| {
            organization.backup(|it| it.vaults_mut().delete(account, "eu-west-1", "org-backup"));
        });
    let mut report = command(&organization, MANAGEMENT);
    report.args(["report", "--member-role", ROLE, "--state-bucket", STATE_BUCKET]);
    let run = ran(&organization, report).await;
    let words =
        " more; hint: list all with `org-backup report --csv`, or see one with `--account ID`";
    assert!(run.text.contains(words), "{}", run.text);
}

#[tokio::test]
async fn a_terminal_gets_a_table_that_fits_and_breaks_no_id() {
    let organization = poor().await;
    let accounts: Vec<_> =
        organization.organization(|it| it.accounts().map(|it| it.id.clone()).collect());
    for (columns, no_colour) in TERMINALS {
        let mut report = command(&organization, MANAGEMENT);
        report.args(["report", "--member-role", ROLE, "--state-bucket", STATE_BUCKET]);
        report.env("NO_COLOR", no_colour);
        let run = ran(&organization, on_terminal(columns, &report)).await;
        let shown = &run.printed[0];
        assert_eq!(run.code, 1, "{shown}\n{}", run.notes);
        for line in shown.lines() {
            let width = line.trim_end().chars().count();
            assert!(width <= usize::from(columns), "{width} > {columns}: {line}");
        }
        for it in &accounts {
            assert!(shown.contains(it), "{it} is not whole at {columns} columns:\n{shown}");
        }
        let missing = shown.find("the vault `org-backup` is missing").unwrap();
        assert!(missing < shown.find("Account").unwrap(), "causes come first:\n{shown}");
        assert_eq!(shown.contains("Looked at"), columns == 140, "{shown}");
    }
}

#[tokio::test]
async fn a_pipe_gets_a_line_of_tabs_for_each_account_and_what_its_regions_have_in_common() {
    let organization = poor().await;
    let run = org_backup(&organization, &["report", "--member-role", ROLE]).await;
    let rows: Vec<Vec<_>> = run
        .text
        .lines()
        .filter(|it| it.contains('\t'))
        .map(|it| it.split('\t').collect())
        .collect();
    assert!(rows.iter().all(|it| it.len() == 12), "{}", run.text);
    let of_poor: Vec<_> = rows.iter().filter(|it| it[0] == POOR).map(|it| (it[3], it[4])).collect();
    assert_eq!(of_poor, [("eu-west-1", "incomplete"), ("eu-west-3", "protected")]);
    assert!(run.text.contains("1 account in eu-west-1: the vault `org-backup` is missing"));
}

#[tokio::test]
async fn a_report_is_narrowed_to_accounts_units_regions_and_states() {
    let organization = poor().await;
    let report = async |more: &[&str]| {
        let arguments = [&["report", "--member-role", ROLE, "--csv"], more].concat();
        let run = org_backup(&organization, &arguments).await;
        (run.text.lines().count().saturating_sub(1), run.code)
    };
    let account = organization.id(POOR);
    let unit = organization.id("Security");
    assert_eq!(report(&["--account", &account]).await, (2, 1));
    assert_eq!(report(&["--account", &account, "--in-regions", "eu-west-3"]).await, (1, 0));
    assert_eq!(report(&["--state", "incomplete,no-plan"]).await, (1, 1));
    assert_eq!(report(&["--ou", &unit, "--state", "incomplete"]).await, (0, 0));
    assert_eq!(report(&["--account", "999999999999"]).await.1, 2);
}

#[tokio::test]
async fn who_has_not_begun_is_told_how_to() {
    let organization = Organization::bare(Settings::default()).await;
    let mut report = command(&organization, MANAGEMENT);
    report.arg("report");
    let run = ran(&organization, report).await;
    assert_eq!(run.code, 1, "{}", run.notes);
    assert!(!run.notes.contains("names a Region"), "the sum says so: {}", run.notes);
    let words = "0 of 12 accounts are protected: no backup policy and no template names a Region";
    assert!(run.text.contains(words), "{}", run.text);
    for next in ["org-backup doctor", "org-backup report --regions", "make deploy FILE=org.toml"] {
        assert!(run.text.contains(next), "{next}: {}", run.text);
    }
    // They are the end: a table would have no rows.
    assert!(run.text.ends_with("begin with examples/org.toml\n"), "{}", run.text);
}

#[tokio::test]
async fn every_help_has_examples_and_shells_can_complete() {
    let organization = Organization::bare(Settings::default()).await;
    let help = async |arguments: &[&str]| {
        let mut command = command(&organization, MANAGEMENT);
        command.args(arguments);
        ran(&organization, command).await
    };
    let all = help(&["--help"]).await.text;
    let commands = all.lines().skip_while(|it| *it != "Commands:").skip(1);
    let commands = commands.take_while(|it| !it.is_empty());
    // What goes on in the next line is further in.
    let commands = commands.filter(|it| it.starts_with("  ") && !it.starts_with("   "));
    let names: Vec<_> = commands.filter_map(|it| it.split_whitespace().next()).collect();
    assert!(names.len() > 7, "{all}");
    for name in names.into_iter().filter(|it| *it != "help") {
        let said = help(&[name, "--help"]).await.text;
        let examples = said.lines().filter(|it| it.trim_start().starts_with("org-backup "));
        let piped = said.lines().filter(|it| it.contains("| org-backup "));
        assert!(examples.chain(piped).count() >= 2, "{name}: {said}");
    }
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = help(&["completions", shell]).await;
        assert_eq!(script.code, 0);
        assert!(script.text.contains("coverage"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    let pages = help(&["manual", folder.path().to_str().unwrap()]).await;
    assert_eq!(pages.code, 0, "{}", pages.notes);
    let page = std::fs::read_to_string(folder.path().join("org-backup-coverage.1")).unwrap();
    assert!(page.contains(".TH"), "{page}");
}

#[tokio::test]
async fn the_page_is_for_its_owner_and_goes_to_standard_output_where_that_is_asked() {
    use std::os::unix::fs::PermissionsExt as _;

    let organization = protected().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    std::fs::write(&file, "older").unwrap();
    let arguments = ["report", "--member-role", ROLE, "--html"];
    let path = file.to_str().unwrap();
    let _ = org_backup(&organization, &[&arguments[..], &[path]].concat()).await;
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let piped = org_backup(&organization, &[&arguments[..], &["-"]].concat()).await;
    assert_eq!(piped.code, 0, "{}", piped.notes);
    let page = &piped.printed[0];
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{page}");
}
