//! The notices to people and programs when the resources that need action are others than before.

use media::{Mail, field, markdown};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::change::{CauseChange, Change, Direction};
use super::summary::{LINES, Summary};
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
    examples: &'a [String],
}

impl Item<'_> {
    /// Returns the line of the cause.
    fn line(&self) -> String {
        let before = self.before.map(|it| format!(" (before: {it})")).unwrap_or_default();
        format!("{}{before} {}", resources(self.now), field(self.words, CAUSE))
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
            more(&mut mail, unread.len(), "");
        }
        mail.line("");
        mail.line("To see all of them, each with its reason:");
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
            }
            if items.len() > SHOWN {
                lines.push(format!("and {} more causes", items.len() - SHOWN));
            }
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
                "nextSteps": [format!("Run `{}` to see all of them", self.command())],
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
                "examples": it.examples,
            })
        });
        json!({
            "organization": self.summary.organization,
            "taken": rfc_3339(self.summary.taken),
            "since": self.change.map(|it| rfc_3339(it.since)),
            "needAction": self.summary.resources.len(),
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
            let needing = if count == 1 { "resource needs" } else { "resources need" };
            let about = format!("{count} {needing} action: {words}");
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
                    "Text": field(&format!("See all of them: {}", self.command()), TEXT),
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
        let mut title = self.needing();
        if self.change.is_some() {
            title += &count(&worse, "worse");
            title += &count(&better, "better");
        }
        match self.summary.unread.len() {
            0 => title,
            unread => format!("{title}, {unread} not looked at"),
        }
    }

    /// Returns the number of resources that need action, in words.
    fn needing(&self) -> String {
        let count = self.summary.resources.len();
        let needs = if count == 1 { "needs" } else { "need" };
        let least = if count == LINES { "at least " } else { "" };
        format!("{least}{} {needs} action", resources(count))
    }

    fn head(&self) -> [String; 2] {
        let (organization, taken) = (&self.summary.organization, utc(self.summary.taken));
        let first = match self.change {
            Some(it) => {
                format!("Backups of {organization}, {taken}, compared with {}.", utc(it.since))
            }
            None => format!("Backups of {organization}, {taken}."),
        };
        let needing = self.needing();
        [first, format!("{needing}.")]
    }

    /// Returns the causes that are new or that more or other resources have, and those that fewer
    /// have. Without a comparison, every cause is of the first kind.
    fn items(&self) -> (Vec<Item<'a>>, Vec<Item<'a>>) {
        let Some(change) = self.change else {
            let item = |words, now, examples| Item { words, before: None, now, examples };
            let causes = self.summary.causes.iter();
            let all = causes.map(|it| item(it.words.as_str(), it.count, it.examples.as_slice()));
            return (all.collect(), vec![]);
        };
        let item = |it: &'a CauseChange| Item {
            words: &it.words,
            before: Some(it.before),
            now: it.after,
            examples: &it.examples,
        };
        let is_better = |it: &&CauseChange| it.direction() == Direction::Better;
        let (better, worse): (Vec<_>, Vec<_>) = change.causes.iter().partition(is_better);
        (worse.into_iter().map(item).collect(), better.into_iter().map(item).collect())
    }
}

fn resources(count: usize) -> String {
    if count == 1 { "1 resource".to_owned() } else { format!("{count} resources") }
}

fn sections(mail: &mut Mail, heading: &str, items: &[Item<'_>]) {
    if items.is_empty() {
        return;
    }
    mail.line("");
    mail.line(heading);
    for it in items.iter().take(SHOWN) {
        mail.line(&it.line());
        for example in it.examples {
            mail.line(&format!("  {example}"));
        }
        let new = it.before.map_or(it.now, |before| it.now.saturating_sub(before));
        if new > it.examples.len() {
            mail.line(&format!("  and {} more", new - it.examples.len()));
        }
    }
    more(mail, items.len(), " causes");
}

fn more(mail: &mut Mail, all: usize, of: &str) {
    if all > SHOWN {
        mail.line(&format!("  and {} more{of}", all - SHOWN));
    }
}
