//! The notices to people and programs when the resources that need action are others than before.

use media::{Mail, field, markdown};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::change::{CauseChange, Change, Direction};
use super::summary::{Bound, Summary};
use crate::utc;
use crate::words::{rfc_3339, stamp};

/// The most causes of a kind, and the most of what could not be looked at, that are named. The
/// others are counted.
const SHOWN: usize = 10;

/// The most resources of a cause that are named in a chat room, where space is short.
const IN_CHAT: usize = 3;

/// The most characters of a cause. It may repeat what AWS says of a job.
const CAUSE: usize = 500;

/// The most causes of an event, which has to be small.
const IN_EVENT: usize = 50;

/// The most characters of a title, a description and a recommendation of a finding.
const TITLE: usize = 250;
const DESCRIPTION: usize = 1_000;
const TEXT: usize = 500;

/// The Security Hub that takes findings.
#[derive(Clone, Copy, Debug)]
pub struct HubPlace<'a> {
    /// The partition, as in `aws-cn`.
    pub partition: &'a str,
    /// The Region.
    pub region: &'a str,
    /// The account.
    pub account: &'a str,
}

/// A notice about one sweep.
#[derive(Clone, Copy, Debug)]
pub struct Notice<'a> {
    /// The findings of the sweep.
    pub summary: &'a Summary,
    /// The changes since the last notice. `None` if there was no notice, or if that is unknown.
    pub change: Option<&'a Change>,
    /// The state bucket, which the command reads.
    pub bucket: &'a str,
}

/// A cause as a notice lists it.
struct Item<'a> {
    words: &'a str,
    before: Option<usize>,
    now: usize,
    /// The number of resources that have it and that the last notice did not name or count.
    new: Bound,
    /// The first of these.
    examples: &'a [String],
}

impl Item<'_> {
    /// Returns the line of the cause.
    fn line(&self) -> String {
        let words = field(self.words, CAUSE);
        match self.before {
            None => format!("{} {words}", resources(self.now)),
            Some(before) if self.now == 0 => {
                format!("gone (before: {}): {words}", resources(before))
            }
            Some(before) => format!("{} (before: {before}) {words}", resources(self.now)),
        }
    }

    /// Returns the line about the new resources that are not among the first `listed`.
    fn more(&self, listed: usize) -> Option<String> {
        self.new.more(listed, if self.before.is_some() { "new" } else { "" })
    }
}

impl<'a> Notice<'a> {
    /// Returns the notice for people.
    pub fn mail(&self) -> Mail {
        let (worse, better) = self.items();
        let mut mail = Mail::default();
        for it in self.head() {
            mail.line(&it);
        }
        sections(&mut mail, if self.change.is_some() { "WORSE" } else { "CAUSES" }, &worse);
        sections(&mut mail, "BETTER", &better);
        let unread = &self.summary.unread;
        if !unread.is_empty() {
            mail.line("");
            mail.line(&format!("NOT LOOKED AT: {}", unread.len()));
            for it in unread.iter().take(SHOWN) {
                mail.line(&format!("  {it}"));
            }
            if let Some(it) = more(unread.len(), "") {
                mail.line(&format!("  {it}"));
            }
        }
        mail.line("");
        mail.line("To see every resource with its state and the reasons:");
        mail.line(&format!("  {}", self.command()));
        mail.about(&format!("org-backup: {}", self.title()))
    }

    /// Returns the notice for chat rooms of Slack and Teams, in the schema of custom notifications of
    /// Amazon Q Developer in chat applications.
    pub fn chat(&self) -> Value {
        let (worse, better) = self.items();
        let mut lines: Vec<_> = self.head().map(|it| markdown(&it, CAUSE)).into();
        let worse_heading = if self.change.is_some() { "Worse" } else { "Causes" };
        for (heading, items) in [(worse_heading, &worse), ("Better", &better)] {
            if items.is_empty() {
                continue;
            }
            lines.push(format!("*{heading}*"));
            for it in items.iter().take(SHOWN) {
                lines.push(format!("• {}", markdown(&it.line(), CAUSE)));
                let examples = it.examples.iter().take(IN_CHAT);
                lines.extend(examples.map(|it| format!("    {}", markdown(it, CAUSE))));
                let listed = it.examples.len().min(IN_CHAT);
                lines.extend(it.more(listed).map(|it| format!("    {it}")));
            }
            lines.extend(more(items.len(), "cause"));
        }
        if !self.summary.unread.is_empty() {
            lines.push(format!("*Not looked at*: {}", self.summary.unread.len()));
        }
        json!({
            "version": "1.0",
            "source": "custom",
            "id": format!("org-backup-coverage-{}", stamp(self.summary.taken)),
            "content": {
                "textType": "client-markdown",
                "title": markdown(&format!("org-backup: {}", self.title()), CAUSE),
                "description": lines.join("\n"),
                "nextSteps": [format!("Run `{}` to see every resource with its state", self.command())],
                "keywords": ["org-backup", self.summary.organization],
            },
            "metadata": {
                "summary": markdown(&self.title(), CAUSE),
                "eventType": "Backup Coverage Changed",
            },
        })
    }

    /// Returns the detail of the event for other programs.
    pub fn event(&self) -> Value {
        let (worse, better) = self.items();
        let causes = worse.iter().chain(&better).take(IN_EVENT).map(|it| {
            json!({
                "words": it.words,
                "before": it.before,
                "after": it.now,
                "new": it.new.count,
                "examples": it.examples,
            })
        });
        let needing = self.summary.needing();
        json!({
            "organization": self.summary.organization,
            "taken": rfc_3339(self.summary.taken),
            "since": self.change.map(|it| rfc_3339(it.since)),
            "needAction": needing.count,
            "needActionIsLeast": needing.is_least,
            "notLookedAt": self.summary.unread.len(),
            "causes": causes.collect::<Value>(),
        })
    }

    /// Returns the findings for AWS Security Hub, in its format (ASFF): one for each cause, and one
    /// that is archived for each cause that is gone.
    pub fn findings(&self, place: HubPlace<'_>) -> Vec<Value> {
        let HubPlace { partition, region, account } = place;
        let taken = rfc_3339(self.summary.taken);
        let account_itself = json!({
            "Type": "AwsAccount",
            "Id": format!("AWS::::Account:{account}"),
            "Partition": partition,
            "Region": region,
        });
        let finding = |words: &str, count: usize, resources: Vec<Value>| {
            let id = Sha256::digest(format!("{} {words}", self.summary.organization));
            let id: String = id.iter().take(16).map(|it| format!("{it:02x}")).collect();
            let about = match count {
                0 => format!("No resource needs action for this cause any more: {words}"),
                _ => format!("{}: {words}", needs_action(Bound::exact(count))),
            };
            let resources =
                if resources.is_empty() { vec![account_itself.clone()] } else { resources };
            json!({
                "SchemaVersion": "2018-10-08",
                "Id": format!("org-backup/coverage/{id}"),
                "ProductArn": format!(
                    "arn:{partition}:securityhub:{region}:{account}:product/{account}/default"
                ),
                "GeneratorId": "org-backup/coverage",
                "AwsAccountId": account,
                "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
                "CreatedAt": taken,
                "UpdatedAt": taken,
                "Severity": { "Label": if count > 0 { "MEDIUM" } else { "INFORMATIONAL" } },
                "Title": field(&format!("Backups: {words}"), TITLE),
                "Description": field(&about, DESCRIPTION),
                "Remediation": { "Recommendation": {
                    "Text": field(&format!("See every resource with its state: {}", self.command()), TEXT),
                } },
                "Resources": resources,
                "RecordState": if count > 0 { "ACTIVE" } else { "ARCHIVED" },
            })
        };
        let active = self.summary.causes.iter().map(|it| {
            let lines = self.summary.resources.iter();
            let lines = lines.filter(|line| line.causes.contains(&it.words)).take(SHOWN);
            let resources = lines.map(|line| {
                let (id, region) = (&line.arn, &line.region);
                json!({ "Type": "Other", "Id": id, "Partition": partition, "Region": region })
            });
            finding(&it.words, it.count, resources.collect())
        });
        let gone = self.change.iter().flat_map(|it| &it.causes).filter(|it| it.after == 0);
        active.chain(gone.map(|it| finding(&it.words, 0, vec![]))).collect()
    }

    /// Returns the command that shows everything.
    fn command(&self) -> String {
        format!("org-backup coverage --state-bucket {} --format csv", self.bucket)
    }

    /// Returns the notice in a few words.
    fn title(&self) -> String {
        let (worse, better) = self.items();
        let count = |it: &[Item<'_>], word: &str| match it.len() {
            0 => String::new(),
            1 => format!(", 1 cause {word}"),
            count => format!(", {count} causes {word}"),
        };
        let mut title = needs_action(self.summary.needing());
        if self.change.is_some() {
            title += &count(&worse, "worse");
            title += &count(&better, "better");
        }
        match self.summary.unread.len() {
            0 => title,
            unread => format!("{title}, {unread} not looked at"),
        }
    }

    fn head(&self) -> [String; 2] {
        let (organization, taken) = (&self.summary.organization, utc(self.summary.taken));
        let first = match self.change {
            Some(it) => {
                format!("Backups of {organization}, {taken}, compared with {}.", utc(it.since))
            }
            None => format!("Backups of {organization}, {taken}."),
        };
        [first, format!("{}.", capitalized(&needs_action(self.summary.needing())))]
    }

    /// Returns the causes that are new or that more or other resources have, and those that fewer
    /// have. Without a comparison, every cause is of the first kind.
    fn items(&self) -> (Vec<Item<'a>>, Vec<Item<'a>>) {
        let Some(change) = self.change else {
            let all = self.summary.causes.iter().map(|it| Item {
                words: &it.words,
                before: None,
                now: it.count,
                new: Bound::exact(it.count),
                examples: &it.examples,
            });
            return (all.collect(), vec![]);
        };
        let item = |it: &'a CauseChange| Item {
            words: &it.words,
            before: Some(it.before),
            now: it.after,
            new: it.new,
            examples: &it.examples,
        };
        let is_better = |it: &&CauseChange| it.direction() == Direction::Better;
        let (better, worse): (Vec<_>, Vec<_>) = change.causes.iter().partition(is_better);
        (worse.into_iter().map(item).collect(), better.into_iter().map(item).collect())
    }
}

fn resources(count: usize) -> String {
    match count {
        0 => "no resource".to_owned(),
        1 => "1 resource".to_owned(),
        _ => format!("{count} resources"),
    }
}

/// Returns the number of resources that need action, in words.
fn needs_action(number: Bound) -> String {
    let needs = if number.count < 2 { "needs" } else { "need" };
    format!("{}{} {needs} action", number.least(), resources(number.count))
}

/// Returns the words at the beginning of a sentence.
fn capitalized(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|it| it.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn sections(mail: &mut Mail, heading: &str, items: &[Item<'_>]) {
    if items.is_empty() {
        return;
    }
    mail.line("");
    mail.line(heading);
    for it in items.iter().take(SHOWN) {
        mail.line(&it.line());
        let more = it.more(it.examples.len());
        for example in it.examples.iter().chain(&more) {
            mail.line(&format!("  {example}"));
        }
    }
    if let Some(it) = more(items.len(), "cause") {
        mail.line(&format!("  {it}"));
    }
}

/// Returns the line about those that are not among the first [`SHOWN`].
fn more(all: usize, of: &str) -> Option<String> {
    match (all.checked_sub(SHOWN)?, of) {
        (0, _) => None,
        (more, "") => Some(format!("and {more} more")),
        (1, of) => Some(format!("and 1 more {of}")),
        (more, of) => Some(format!("and {more} more {of}s")),
    }
}
