//! Shows the organization in a few lines of text.

use simulator::{AccountState, BACKUP_POLICY, Organization};

use crate::screen::Screen;

/// Shows the progress of the organization from unprotected to protected.
pub(crate) fn switches(
    screen: &Screen,
    organization: &Organization,
    global_settings: &[(String, bool)],
) {
    let types = organization.policy_types();
    let types: Vec<_> =
        types.iter().map(|(name, status)| format!("{name} {}", status.as_str())).collect();
    let trusted: Vec<_> = organization.trusted_services().into_iter().collect();
    let settings: Vec<_> =
        global_settings.iter().filter(|it| it.1).map(|it| it.0.clone()).collect();
    for (what, list) in
        [("policy types", types), ("trusted access", trusted), ("settings on", settings)]
    {
        let list = if list.is_empty() { vec!["none".to_owned()] } else { list };
        for (index, it) in list.iter().enumerate() {
            let what = if index == 0 { what } else { "" };
            screen.line(&format!("   {} {it}", screen.dim(&format!("{what:<15}"))));
        }
    }
    let reached = reached(organization);
    let all = organization.accounts().count();
    let what = screen.dim(&format!("{:<15}", "policies reach"));
    screen.line(&format!("   {what} {reached} of {all} accounts"));
}

/// Returns the number of accounts that a backup policy reaches.
pub(crate) fn reached(organization: &Organization) -> usize {
    organization.accounts().filter(|it| !organization.backup_policies_of(&it.id).is_empty()).count()
}

/// Shows the root, the OUs, and the policies attached to each.
pub(crate) fn tree(screen: &Screen, organization: &Organization) {
    screen.line("");
    let title = format!("Root {}", organization.root);
    node(screen, organization, &organization.root, &title, "   ", "   ");
    screen.line("");
}

fn node(
    screen: &Screen,
    organization: &Organization,
    id: &str,
    name: &str,
    first: &str,
    rest: &str,
) {
    let accounts = organization.accounts_in(id).count();
    let suspended =
        organization.accounts_in(id).filter(|it| it.state == AccountState::Suspended).count();
    let mut parts = vec![
        format!("{:<34}", format!("{first}{name}")),
        format!("{accounts:>2} account{}", if accounts == 1 { " " } else { "s" }),
    ];
    if suspended > 0 {
        parts.push(screen.dim(&format!("({suspended} suspended)")));
    }
    for policy in organization.attached(id).iter().flat_map(|it| organization.policy(it)) {
        if policy.kind == BACKUP_POLICY {
            parts.push(format!("◆ {} {}", screen.bold(&policy.name), screen.dim(&policy.id)));
        }
    }
    screen.line(parts.join(" ").trim_end());
    let mut units = organization.units_in(id).collect::<Vec<_>>();
    units.sort_by(|a, b| a.name.cmp(&b.name));
    for (index, unit) in units.iter().enumerate() {
        let last = index + 1 == units.len();
        let (first, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let (first, below) = (format!("{rest}{first}"), format!("{rest}{below}"));
        node(screen, organization, &unit.id, &unit.name, &first, &below);
    }
}
