//! The page of the report in a browser: what it shows, what it asks for, and how it is used.
//!
//! Screenshots are left in `target/screenshots`. The browser is the one that `CHROME` names, or that
//! is installed; without one these tests fail, and `make test` leaves them out and says so.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot set up has failed, and a member that JSON lacks is null"
)]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams, SetScriptExecutionDisabledParams,
};
use chromiumoxide::cdp::browser_protocol::log::EventEntryAdded;
use chromiumoxide::cdp::browser_protocol::network::EventRequestWillBeSent;
use chromiumoxide::cdp::browser_protocol::page::PrintToPdfParams;
use chromiumoxide::cdp::js_protocol::runtime::{
    EvaluateParams, EventConsoleApiCalled, EventExceptionThrown,
};
use chromiumoxide::handler::viewport::Viewport;
use chromiumoxide::page::ScreenshotParams;
use chromiumoxide::{Browser, BrowserConfig, Page};
use futures_util::StreamExt as _;
use page::{REGIONS, account, proven, sample};
use report::history::Counts;
use report::page::page;
use report::{Report, State};
use serde_json::{Value, json};
use tempfile::TempDir;

static SMALL: LazyLock<Report> = LazyLock::new(|| sample(40));
static LARGE: LazyLock<Report> = LazyLock::new(|| sample(5_000));
static PROVEN: LazyLock<Report> = LazyLock::new(|| proven(40, 3));
static LARGE_PROVEN: LazyLock<Report> = LazyLock::new(|| proven(5_000, 4));

/// A page in a browser of its own.
struct Tab {
    browser: Browser,
    page: Page,
    /// What was printed to the console, thrown or reported.
    said: Arc<Mutex<Vec<String>>>,
    /// What was asked for.
    asked: Arc<Mutex<Vec<String>>>,
    file: PathBuf,
    _folder: TempDir,
}

impl Tab {
    /// A browser with nothing in it.
    async fn empty(report: &Report) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.html");
        fs::write(&file, page(report)).unwrap();
        let viewport = Viewport { width: 1440, height: 1000, ..Viewport::default() };
        let config = BrowserConfig::builder()
            .no_sandbox()
            // A machine may do other things while the browser prints a thousand pages.
            .request_timeout(Duration::from_mins(3))
            .user_data_dir(folder.path().join("profile"))
            .viewport(viewport)
            .args([
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ]);
        let (browser, mut handler) = Browser::launch(config.build().unwrap()).await.unwrap();
        tokio::spawn(async move { while handler.next().await.is_some() {} });
        let page = browser.new_page("about:blank").await.unwrap();
        page.enable_log().await.unwrap();
        let (said, asked) = (Arc::default(), Arc::default());
        let tab = Self { browser, page, said, asked, file, _folder: folder };
        tab.listen().await;
        tab
    }

    /// A browser with the page in it, once everything on it is there.
    async fn open(report: &Report, fragment: &str) -> Self {
        let tab = Self::empty(report).await;
        tab.page.goto(tab.url() + fragment).await.unwrap();
        tab.settled().await;
        tab
    }

    fn url(&self) -> String {
        format!("file://{}", self.file.display())
    }

    async fn listen(&self) {
        let said = |words: &Arc<Mutex<Vec<String>>>| Arc::clone(words);
        let (words, mut events) =
            (said(&self.said), self.page.event_listener::<EventConsoleApiCalled>().await.unwrap());
        tokio::spawn(async move {
            while let Some(it) = events.next().await {
                words.lock().unwrap().push(format!("{it:?}"));
            }
        });
        let (words, mut events) =
            (said(&self.said), self.page.event_listener::<EventExceptionThrown>().await.unwrap());
        tokio::spawn(async move {
            while let Some(it) = events.next().await {
                words.lock().unwrap().push(format!("{it:?}"));
            }
        });
        let (words, mut events) =
            (said(&self.said), self.page.event_listener::<EventEntryAdded>().await.unwrap());
        tokio::spawn(async move {
            while let Some(it) = events.next().await {
                words.lock().unwrap().push(format!("{:?}", it.entry));
            }
        });
        let (words, mut events) = (
            said(&self.asked),
            self.page.event_listener::<EventRequestWillBeSent>().await.unwrap(),
        );
        tokio::spawn(async move {
            while let Some(it) = events.next().await {
                words.lock().unwrap().push(it.request.url.clone());
            }
        });
    }

    /// What the expression comes to, once it is a value.
    async fn value(&self, expression: &str) -> Value {
        let evaluate = EvaluateParams::builder().expression(expression);
        let evaluate = evaluate.await_promise(true).return_by_value(true).build().unwrap();
        let value = self.page.evaluate_expression(evaluate).await.unwrap();
        value.value().cloned().unwrap_or_default()
    }

    /// Waits for the last part of the page, and for the browser to draw.
    async fn settled(&self) {
        self.value(
            "new Promise((done) => { const look = () => \
             performance.getEntriesByName('complete').length ? requestAnimationFrame(() => done(1)) \
             : requestAnimationFrame(look); look(); })",
        )
        .await;
    }

    async fn text(&self, selector: &str) -> String {
        let text = self.value(&format!("document.querySelector({selector:?}).textContent")).await;
        text.as_str().unwrap().to_owned()
    }

    /// Presses a key on the element that has the focus, and waits for the result.
    async fn press(&self, key: &str) {
        self.page.find_element("body").await.unwrap().press_key(key).await.unwrap();
        self.value("new Promise((done) => requestAnimationFrame(() => done(1)))").await;
    }

    async fn click(&self, selector: &str) {
        self.page.find_element(selector).await.unwrap().click().await.unwrap();
    }

    /// What has the focus: the place of its row, and what it is called.
    async fn focus(&self) -> (u64, String) {
        let focus = self
            .value(
                "(() => { const it = document.activeElement; const row = it.closest('tr'); \
                 return [row ? Number(row.getAttribute('aria-rowindex')) : 0, \
                 it.getAttribute('aria-label') || it.textContent]; })()",
            )
            .await;
        (focus[0].as_u64().unwrap(), focus[1].as_str().unwrap().to_owned())
    }

    async fn keep_screenshot(&self, name: &str) {
        let target = env::current_exe().unwrap();
        // The tests are in `debug/deps`, under any name of the target directory.
        let target = target.ancestors().nth(3).unwrap();
        let folder = target.join("screenshots");
        fs::create_dir_all(&folder).unwrap();
        let params = ScreenshotParams::builder().build();
        let file: &Path = &folder.join(name);
        self.page.save_screenshot(params, file).await.unwrap();
        assert!(fs::metadata(file).unwrap().len() > 20_000, "{name} shows something");
    }

    /// Ends the browser, which must have had nothing to say and nothing to ask for but the file.
    async fn close_in_silence(self) {
        let nothing: &[String] = &[];
        assert_eq!(self.said.lock().unwrap().as_slice(), nothing);
        let mut asked = self.asked.lock().unwrap().clone();
        asked.retain(|it| !it.starts_with(&self.url()) && it != "data:,");
        assert_eq!(asked, nothing);
        self.close().await;
    }

    async fn close(mut self) {
        let _ = self.browser.close().await;
        let _ = self.browser.wait().await;
    }
}

/// Says how long something took, which no test fails for unless it is far too long.
fn tell(text: &str) {
    writeln!(std::io::stderr().lock(), "{text}").unwrap();
}

/// Prints the accounts of one OU by their backups, and returns the time that it took.
async fn print_one_unit(tab: &Tab) -> Duration {
    tab.click("#view-backups").await;
    tab.click("[aria-label^='Security,']").await;
    let begun = Instant::now();
    let pdf = tab.page.pdf(PrintToPdfParams::default()).await.unwrap();
    let took = begun.elapsed();
    tell(&format!("printed in {:.1} s, {} kB", took.as_secs_f64(), pdf.len() / 1_000));
    assert!(took < Duration::from_mins(3), "{took:?} is three times as long as it may take");
    took
}

/// Describes the machine and the browser of a measurement.
async fn measured_on(tab: &Tab) -> String {
    let fact = |file: &str, key: &str| -> String {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find_map(|it| it.strip_prefix(key)?.split_once(':'));
        line.map(|it| it.1.trim().to_owned()).unwrap_or_default()
    };
    let cores = thread::available_parallelism().unwrap();
    let memory = fact("/proc/meminfo", "MemTotal");
    let kilobytes: f64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
    let browser = tab.browser.version().await.unwrap().product;
    // Other programs on the machine make everything slower.
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    format!(
        "{cores} cores of {}, {:.0} GB of memory, with a load of {load}; {browser}",
        fact("/proc/cpuinfo", "model name"),
        kilobytes / 1e6
    )
}

/// Writes the measured values into `docs` if `make bench-page` asks for it.
#[expect(clippy::disallowed_methods, reason = "a test has no `main` that could read it")]
fn record(rows: &[String], machine: &str) {
    if env::var_os("BENCH_PAGE").is_none() {
        return;
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/benchmarks/page.md");
    let text = format!(
        "# The page of a report\n\n\
         `make bench-page` opens the page of made-up organizations in a browser, and writes this page. \
         Every account has resources in every Region, thirty days, and findings.\n\n\
         | accounts × Regions | bytes | usable after | one OU printed to PDF |\n\
         |---|---:|---:|---:|\n{}\n\
         *Usable* is the time from the start of the navigation to the file until its script has drawn \
         the first view and takes input; the parts further down follow. The printed OU has one account \
         in ten, in the view *Backups*. The tests fail at ten times the 2 s and three times the minute \
         that are meant, since other programs may use the machine.\n\n\
         Measured on {machine}.\n",
        rows.concat()
    );
    fs::write(file, text).unwrap();
}

#[tokio::test]
async fn at_any_size_little_is_built_and_nothing_is_asked_for() {
    let all = [40, 5_000, 10_000].map(|it| proven(it, REGIONS.len()));
    let names = ["backups-40.png", "backups-5000.png", "backups-10000.png"];
    let (mut measured, mut machine) = (vec![], String::new());
    for (report, name) in [(&*SMALL, "page-40.png")].into_iter().chain(all.iter().zip(names)) {
        let tab = Tab::open(report, "").await;
        let size = fs::metadata(&tab.file).unwrap().len();
        assert!(size < 8_000_000, "{size} bytes");
        if report.evidence.is_some() {
            tab.click("#view-backups").await;
        }
        let accounts = report.rows.len();
        let rows = tab.value("document.querySelectorAll('#body tr.row').length").await;
        let nodes = tab.value("document.querySelectorAll('*').length").await;
        assert!(rows.as_u64().unwrap() <= 60, "{rows} rows of {accounts}");
        // 60 rows of 18 cells with a mark in each or with 30 days, and the rest of the page.
        assert!(nodes.as_u64().unwrap() < 5_000, "{nodes} elements for {accounts} accounts");
        let count =
            tab.value("document.getElementById('grid').getAttribute('aria-rowcount')").await;
        assert_eq!(count, json!((accounts + 1).to_string()));
        let usable = tab.value("performance.getEntriesByName('until usable')[0].duration").await;
        let usable = usable.as_f64().unwrap();
        tell(&format!(
            "the page with {accounts} accounts × {} Regions, {} kB: usable after {usable:.0} ms, \
             {nodes} elements",
            REGIONS.len(),
            size / 1_000
        ));
        assert!(usable < 20_000.0, "{usable} ms is ten times as long as it may take");
        tab.keep_screenshot(name).await;
        if report.evidence.is_some() {
            let printed = print_one_unit(&tab).await.as_secs_f64();
            measured.push(format!(
                "| {} × {} | {} | {usable:.0} ms | {printed:.1} s |\n",
                grouped(accounts),
                REGIONS.len(),
                grouped_bytes(size)
            ));
            machine = measured_on(&tab).await;
        }
        tab.close_in_silence().await;
    }
    record(&measured, &machine);
}

/// Returns a number of bytes with a comma between thousands.
fn grouped_bytes(bytes: u64) -> String {
    let (millions, rest) = (bytes / 1_000_000, bytes % 1_000_000);
    let thousands = format!("{:03},{:03}", rest / 1_000, rest % 1_000);
    match millions {
        0 => thousands.trim_start_matches('0').to_owned(),
        _ => format!("{millions},{thousands}"),
    }
}

#[tokio::test]
async fn on_a_phone_nothing_scrolls_sideways_but_the_matrix() {
    let row = PROVEN.rows.iter().find(|it| PROVEN.path(it) == ["Workloads", "Production"]).unwrap();
    let tab = Tab::open(&PROVEN, "").await;
    let phone = SetDeviceMetricsOverrideParams::new(390, 844, 2.0, true);
    tab.page.execute(phone).await.unwrap();
    // A page that is wider than a phone is shown smaller, so that its width would be that of the window.
    let sideways = "(() => { const it = document.documentElement; \
                    const panel = document.getElementById('account'); \
                    return [it.scrollWidth <= innerWidth, innerWidth, \
                    panel.scrollWidth <= panel.clientWidth, \
                    [...document.querySelectorAll('body *')].filter((it) => !it.closest('.matrix, .scroll, pre') \
                    && it.getBoundingClientRect().right > 391).map((it) => it.className).slice(0, 5)]; })()";
    for view in ["protection", "backups", "resources"] {
        tab.click(&format!("#view-{view}")).await;
        assert_eq!(tab.value(sideways).await, json!([true, 390, true, []]), "{view}");
        tab.keep_screenshot(&format!("phone-{view}.png")).await;
    }
    tab.value(&format!("location.hash = 'account-{}'", row.account.id)).await;
    tab.settled().await;
    assert_eq!(tab.value(sideways).await, json!([true, 390, true, []]));
    tab.keep_screenshot("phone-account.png").await;
    tab.close_in_silence().await;
}

#[tokio::test]
async fn a_page_without_a_region_says_what_to_do_next() {
    let nowhere = ["us-gov-west-1".parse().unwrap()];
    let report = SMALL.clone().narrowed(|_| true, &nowhere, BTreeSet::new());
    let tab = Tab::open(&report, "").await;
    assert_eq!(tab.text("#verdict").await, "There is nothing to judge");
    let next = tab.text("#next").await;
    assert!(next.starts_with("No backup policy and no template names a Region. "), "{next}");
    assert!(next.contains("make deploy FILE=org.toml DRY_RUN=1: says what"), "{next}");
    tab.close_in_silence().await;
    let tab = Tab::open(&SMALL, "").await;
    assert_eq!(tab.value("document.getElementById('next').hidden").await, json!(true));
    tab.close_in_silence().await;
}

#[tokio::test]
async fn a_number_of_an_earlier_release_is_shown_as_the_least() {
    let mut report = LARGE_PROVEN.clone();
    report.evidence.as_mut().unwrap().summary.need_action = None;
    let tab = Tab::open(&report, "").await;
    let proof = tab.text("#proof").await;
    assert!(proof.starts_with("At least ") && proof.contains(" resources of "), "{proof}");
    tab.click("#view-resources").await;
    let count = tab.text("#count").await;
    assert!(count.contains(" among the first 2,000 of at least "), "{count}");
    tab.close_in_silence().await;
}

#[tokio::test]
async fn accounts_are_shown_by_their_backups_the_worst_first() {
    let tab = Tab::open(&PROVEN, "").await;
    let evidence = PROVEN.evidence.as_ref().unwrap();
    let states = evidence.summary.states();
    for (state, count) in &states {
        assert_eq!(tab.text(&format!("[data-kind='{state}'] b")).await, grouped(*count), "{state}");
    }
    let change = tab.text("#change").await;
    assert!(change.contains("Worse: ") && change.contains("3 → 5 resources"), "{change}");
    assert!(change.contains("Better: ") && change.contains("9 → 1 resource"), "{change}");
    let trend = "document.querySelector('#trend svg').getAttribute('aria-label')";
    let trend = tab.value(trend).await.as_str().unwrap().to_owned();
    assert!(trend.contains("91.3 %") && trend.contains("99.2 %"), "{trend}");
    // The tabs are one stop of the keyboard, and its arrows go from one to the next.
    tab.value("document.getElementById('view-protection').focus()").await;
    tab.press("ArrowRight").await;
    assert_eq!(tab.value("document.activeElement.id").await, json!("view-backups"));
    let late = |row: &report::Row| -> usize {
        let counts = evidence.summary.accounts.get(&row.account.id);
        let regions = counts.into_iter().flat_map(|it| it.regions.values());
        let of = |key: &str, it: &Counts| it.states.get(key).copied().unwrap_or_default();
        regions.map(|it| of("late", it) + of("not-selected", it)).sum()
    };
    let worst = PROVEN.rows.iter().map(late).max().unwrap();
    let first = tab.text("#body tr.row small .id").await;
    let first = PROVEN.rows.iter().find(|it| it.account.id.as_str() == first).unwrap();
    assert_eq!(late(first), worst);
    let cells = "[...document.querySelectorAll('#body tr.row:nth-of-type(2) td')]\
                 .map((it) => it.getAttribute('aria-label'))";
    let cells = tab.value(cells).await;
    let cells: Vec<_> = cells.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert!(cells[0].starts_with("Resources: "), "{cells:?}");
    assert!(cells.iter().any(|it| it.starts_with("Restore test: 2026-11-")), "{cells:?}");
    assert!(cells.iter().any(|it| it.starts_with("Last 30 days: ")), "{cells:?}");
    tab.keep_screenshot("backups.png").await;
    tab.close_in_silence().await;
}

#[tokio::test]
async fn resources_that_need_action_are_named_with_their_cause_and_found() {
    let tab = Tab::open(&LARGE_PROVEN, "").await;
    let evidence = LARGE_PROVEN.evidence.as_ref().unwrap();
    tab.click("#view-resources").await;
    let count = tab.text("#count").await;
    assert!(count.starts_with("2,000 resources among the first 2,000 of "), "{count}");
    let first = &evidence.summary.resources[0];
    assert_eq!(tab.text("#resources .finding .id").await, first.arn);
    let shown = tab.text("#resources .finding").await;
    assert!(shown.contains("trying to call <b>AWS Backup</b> service"), "{shown}");
    assert_eq!(tab.value("document.querySelectorAll('#resources b').length").await, json!(0));
    let search = tab.page.find_element("#search").await.unwrap();
    search.click().await.unwrap().type_str(&first.arn).await.unwrap();
    assert_eq!(tab.text("#count").await, "1 resource among the first ".to_owned() + rest(&count));
    tab.keep_screenshot("resources.png").await;
    search.type_str(" nothing").await.unwrap();
    assert_eq!(tab.value("document.querySelectorAll('#resources .finding').length").await, 0);
    tab.close_in_silence().await;
}

/// Returns the part of a count about the resources that are named.
fn rest(count: &str) -> &str {
    count.split_once("among the first ").unwrap().1
}

/// Returns a number as the page writes it.
fn grouped(count: usize) -> String {
    let (thousands, rest) = (count / 1_000, count % 1_000);
    if thousands > 0 { format!("{thousands},{rest:03}") } else { rest.to_string() }
}

#[tokio::test]
async fn an_account_shows_its_backups_and_who_may_delete_them() {
    let is_locked = |it: &&report::Row| {
        let mut words = it.cells.iter().flat_map(|it| PROVEN.cells[*it].deleters());
        PROVEN.path(it) == ["Workloads", "Production"] && words.any(|it| it.contains("compliance"))
    };
    let row = PROVEN.rows.iter().find(is_locked).unwrap();
    let tab = Tab::open(&PROVEN, &format!("#account-{}", row.account.id)).await;
    let shown = tab.text("#account").await;
    for part in [
        "Backups",
        "ap-northeast-1",
        "Who may delete backups",
        "because of its compliance lock",
        "Resources tagged backup = daily",
        "2026-11-21 05:00 UTC",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let kept = "[...document.querySelectorAll('#account .plan svg')]\
                .map((it) => it.getAttribute('aria-label'))";
    let kept = tab.value(kept).await.to_string();
    assert!(kept.contains("Kept: backups 35 days"), "{kept}");
    tab.keep_screenshot("account-backups.png").await;
    // On paper, the account is the whole document.
    let pages = tab.page.pdf(PrintToPdfParams::default()).await.unwrap();
    let whole = Tab::open(&PROVEN, "").await;
    let all = whole.page.pdf(PrintToPdfParams::default()).await.unwrap();
    assert!(pages.len() < all.len() / 2, "{} of {} bytes", pages.len(), all.len());
    whole.close_in_silence().await;
    tab.close_in_silence().await;
}

#[tokio::test]
async fn a_large_organization_is_printed_as_it_is_filtered_within_a_minute() {
    let tab = Tab::open(&LARGE_PROVEN, "").await;
    tab.value(
        "addEventListener('beforeprint', () => { window.printed = \
         document.querySelectorAll('#body tr.row').length; })",
    )
    .await;
    print_one_unit(&tab).await;
    let security = LARGE_PROVEN.rows.iter().filter(|it| LARGE_PROVEN.path(it) == ["Security"]);
    assert_eq!(tab.value("window.printed").await, json!(security.count()));
    tab.close_in_silence().await;
}

/// `make pictures` puts the screenshot into `docs`, where `README.md` shows it.
#[tokio::test]
async fn the_picture_for_the_readme_shows_an_ordinary_organization() {
    let mut report = proven(40, 3);
    report.notes.clear();
    let plain =
        |name: &mut String| *name = name.replace("<b>Acquired & \"merged\"</b>", "Acquired");
    report.organization.units.iter_mut().for_each(|it| plain(&mut it.name));
    report.rows.iter_mut().for_each(|it| plain(&mut it.account.name));
    let evidence = report.evidence.as_mut().unwrap();
    let causes = evidence.change.as_mut().unwrap().causes.iter_mut().map(|it| &mut it.words);
    let of_resources = evidence.summary.resources.iter_mut().flat_map(|it| &mut it.causes);
    causes.chain(of_resources).for_each(|it| *it = it.replace("<b>AWS Backup</b>", "AWS Backup"));
    assert!(!page(&report).contains("Acquired &"), "a name is still markup");
    let tab = Tab::open(&report, "").await;
    tab.keep_screenshot("readme.png").await;
    tab.close_in_silence().await;
}

#[tokio::test]
async fn the_head_says_what_the_report_says() {
    let tab = Tab::open(&SMALL, "").await;
    for (state, count) in SMALL.tally() {
        let shown = tab.text(&format!("[data-state='{}'] b", state.key())).await;
        assert_eq!(shown, count.to_string(), "{state}");
    }
    let bad = SMALL.rows.iter().filter(|it| !SMALL.state_of(it).is_fine()).count();
    let verdict = tab.text("#verdict").await;
    assert!(verdict.starts_with(&format!("{bad} accounts of 40 need attention")), "{verdict}");
    // The input of a person is text, even if it looks like code.
    let notes = tab.text("#notes").await;
    assert!(notes.contains("</script><script>alert(1)</script>"), "{notes}");
    let markup = tab.value("document.querySelectorAll('#tree b, #body b').length").await;
    assert_eq!(markup, json!(0));
    tab.close_in_silence().await;
}

#[tokio::test]
async fn search_and_filters_show_the_accounts_that_are_meant() {
    let tab = Tab::open(&LARGE, "").await;
    let search = tab.page.find_element("#search").await.unwrap();
    search.click().await.unwrap().type_str("sandbox-0003 Sandbox").await.unwrap();
    assert_eq!(tab.text("#count").await, "1 of 5,000 accounts");
    assert_eq!(tab.text("#body tr.row a").await, "sandbox-0003");
    search.type_str(" nobody").await.unwrap();
    assert_eq!(tab.value("document.getElementById('empty').hidden").await, json!(false));
    tab.click("#reset").await;
    assert_eq!(tab.text("#count").await, "5,000 accounts");

    tab.click("[data-state='no-plan']").await;
    let has = |state: State| {
        LARGE
            .rows
            .iter()
            .filter(move |row| row.cells.iter().any(|it| LARGE.cells[*it].state == state))
    };
    let without = has(State::NoPlan).count();
    assert_eq!(tab.text("#count").await, format!("{without} of 5,000 accounts"));
    tab.click("[data-state='no-plan']").await;

    tab.value(
        "(() => { const it = document.getElementById('region'); it.value = '4'; \
         it.dispatchEvent(new Event('change')); })()",
    )
    .await;
    let columns = tab.value("document.querySelectorAll('#head .region').length").await;
    assert_eq!((columns, tab.text("#head .region").await), (json!(1), REGIONS[4].to_owned()));

    tab.click("[aria-label^='Security,']").await;
    let security = LARGE.rows.iter().filter(|it| LARGE.path(it) == ["Security"]).count();
    assert_eq!(tab.text("#count").await, format!("{security} of 5,000 accounts"));
    tab.close_in_silence().await;
}

#[tokio::test]
async fn the_keyboard_reaches_every_account_and_comes_back() {
    let tab = Tab::open(&LARGE, "").await;
    tab.value("document.querySelector('#body [tabindex=\"0\"]').focus()").await;
    assert_eq!(tab.focus().await.0, 2, "the first row comes after the head");
    tab.press("ArrowDown").await;
    tab.press("ArrowRight").await;
    let (row, words) = tab.focus().await;
    assert_eq!(row, 3);
    assert!(words.starts_with(&format!("{}: ", REGIONS[0])), "{words}");
    tab.press("End").await;
    let (_, words) = tab.focus().await;
    assert!(words.starts_with(&format!("{}: ", REGIONS[16])), "{words}");
    for _ in 0..20 {
        tab.press("PageDown").await;
    }
    let (far, _) = tab.focus().await;
    assert!(far > 200, "row {far}");
    tab.press("Home").await;
    let (_, name) = tab.focus().await;
    tab.press("Enter").await;
    tab.settled().await;
    assert_eq!(tab.text("#account-title").await, name);
    assert_eq!(tab.focus().await.1, name, "a screen reader begins with the name");
    tab.press("Escape").await;
    assert_eq!(tab.focus().await, (far, name), "and is where it was");
    tab.press("/").await;
    assert_eq!(tab.value("document.activeElement.id").await, json!("search"));
    tab.close_in_silence().await;
}

#[tokio::test]
async fn a_fragment_opens_its_account_and_says_where_each_setting_comes_from() {
    let row = SMALL.rows.iter().find(|it| SMALL.path(it) == ["Workloads", "Production"]).unwrap();
    let fragment = format!("#account-{}", row.account.id);
    let tab = Tab::open(&SMALL, &fragment).await;
    assert_eq!(tab.text("#account-title").await, row.account.name);
    let shown = tab.text("#account").await;
    for part in [
        "org-backup-daily (@@assign at Workloads)",
        "org-backup-monthly (@@assign at Production)",
        "plans/monthly/rules/every-night/lifecycle/delete_after_days",
        "Root / Workloads / Production",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    tab.keep_screenshot("account.png").await;
    // An account that nobody has is no reason to show nothing.
    tab.value(&format!("location.hash = 'account-{}'", account(999_999))).await;
    tab.value("new Promise((done) => setTimeout(() => done(1), 0))").await;
    assert_eq!(tab.value("document.getElementById('account').hidden").await, json!(true));
    tab.close_in_silence().await;
}

#[tokio::test]
async fn who_prefers_the_dark_gets_it() {
    let tab = Tab::open(&SMALL, "").await;
    let background = "getComputedStyle(document.body).backgroundColor";
    assert_eq!(tab.value(background).await, json!("rgb(251, 251, 249)"));
    let dark = MediaFeature::new("prefers-color-scheme", "dark");
    tab.page.emulate_media_features(vec![dark]).await.unwrap();
    assert_eq!(tab.value(background).await, json!("rgb(20, 24, 28)"));
    tab.keep_screenshot("dark.png").await;
    tab.close_in_silence().await;
}

#[tokio::test]
async fn on_paper_there_is_everything() {
    let tab = Tab::open(&SMALL, "").await;
    tab.value(
        "addEventListener('beforeprint', () => { window.printed = [\
         document.querySelectorAll('#body tr.row').length, \
         document.querySelectorAll('.policy[open]').length, \
         document.querySelectorAll('.policy .table.even').length, \
         document.querySelectorAll('.more, .link').length]; })",
    )
    .await;
    let pdf = tab.page.pdf(PrintToPdfParams::default()).await.unwrap();
    assert!(pdf.starts_with(b"%PDF-"));
    let (policies, set) = (SMALL.effective.len(), SMALL.effective.iter());
    let set = set.filter(|it| !it.settings.is_empty()).count();
    assert_eq!(tab.value("window.printed").await, json!([40, policies, set, 0]));
    // And afterwards the page is as it was.
    assert_eq!(tab.value("document.querySelectorAll('.policy[open]').length").await, json!(0));
    tab.close_in_silence().await;
    let tab = Tab::open(&LARGE, "").await;
    tab.value("dispatchEvent(new Event('beforeprint'))").await;
    let rows = tab.value("document.querySelectorAll('#body tr.row').length").await;
    assert_eq!(rows, json!(5_000));
    let left_out = tab.value("document.querySelectorAll('.more, .link').length").await;
    assert_eq!(left_out, json!(0));
    tab.close_in_silence().await;
}

#[tokio::test]
async fn without_scripts_the_page_says_so_and_how_it_is() {
    let tab = Tab::empty(&SMALL).await;
    tab.page.execute(SetScriptExecutionDisabledParams::new(true)).await.unwrap();
    tab.page.goto(tab.url()).await.unwrap();
    let shown = tab.page.find_element("body").await.unwrap().inner_text().await.unwrap().unwrap();
    assert!(shown.contains("This page needs JavaScript"), "{shown}");
    assert!(shown.contains("40 accounts × 17 Regions: "), "{shown}");
    tab.close().await;
}

#[tokio::test]
async fn nothing_else_may_run_in_the_page_or_be_fetched_by_it() {
    let tab = Tab::open(&SMALL, "").await;
    tab.value(
        "(() => { const it = document.createElement('script'); it.textContent = 'window.ran = 1'; \
         document.body.append(it); const image = document.createElement('img'); \
         image.src = 'http://127.0.0.1:9/x'; document.body.append(image); })()",
    )
    .await;
    assert_eq!(tab.value("typeof window.ran").await, json!("undefined"));
    let refused = "fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')";
    assert_eq!(tab.value(refused).await, json!("refused"));
    tab.close().await;
}
