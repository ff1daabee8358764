#!/usr/bin/env bash
# Deploys the stacks in the order in which they need each other, or deletes them in the other.
#
# usage: deploy.sh deploy PACKAGE | undeploy
#
# What there is to say is in the environment, as the Makefile has it. With DRY_RUN set, what would be
# called is printed and not called; what only reads is called all the same. Every step may be repeated:
# a stack that is as it should be is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."

aws_that_writes() {
  if [[ ${DRY_RUN:-} ]]; then
    printf '%q ' aws "$@"
    echo
  else
    aws "$@"
  fi
}

# stack NAME TEMPLATE [--region REGION] PARAMETER=VALUE...
stack() {
  local name=$1 template=$2 region=()
  shift 2
  [[ ${1:-} != --region ]] || { region=("$1" "$2"); shift 2; }
  aws_that_writes cloudformation deploy "${region[@]}" --stack-name "$name" \
    --template-file "templates/$template" --capabilities CAPABILITY_NAMED_IAM \
    --no-fail-on-empty-changeset --parameter-overrides "$@"
}

output() {
  aws cloudformation describe-stacks --stack-name "$1" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='$2'].OutputValue"
}

delete() {
  local name=$1
  shift
  aws_that_writes cloudformation delete-stack --stack-name "$name" "$@"
  aws_that_writes cloudformation wait stack-delete-complete --stack-name "$name" "$@"
}

# The Regions besides that of the stacks, in which the management account has a stack of its own.
IFS=', ' read -ra others <<<"${OTHER_REGIONS:-}"

# Lists of parameters of the user are words.
deploy() {
  local package=$1 prefix
  prefix=$(cd "$package" && echo org-backup/*/)
  local code=(ArtifactBucket="$BUCKET" ArtifactPrefix="$prefix")
  local home regions
  home=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region)}}
  regions=$(IFS=,; echo "$home${others[*]:+,${others[*]}}")
  aws_that_writes s3 sync "$package" "s3://$BUCKET"
  # shellcheck disable=SC2086
  stack "$STACK" bootstrap.yaml "${code[@]}" ${BOOTSTRAP_PARAMETERS:-}
  if [[ ${ORGANIZATIONAL_UNITS:-} ]]; then
    # shellcheck disable=SC2086
    stack "$STACK-rollout" rollout.yaml "${code[@]}" BootstrapStackName="$STACK" \
      OrganizationalUnitIds="$ORGANIZATIONAL_UNITS" CentralAccountId="${CENTRAL_ACCOUNT:-}" \
      OtherRegions="${OTHER_REGIONS:-}" ${ROLLOUT_PARAMETERS:-}
    local account partition region
    account=$(aws sts get-caller-identity --query Account --output text)
    partition=$(aws sts get-caller-identity --query Arn --output text | cut -d: -f2)
    for region in "${others[@]}"; do
      stack "$STACK-member" member-account.yaml --region "$region" HomeRegion="$home" \
        MemberAccountsRoleArn="arn:$partition:iam::$account:role/org-backup-member-accounts" \
        OrganizationId="$(output "$STACK" OrganizationId)" CentralAccountId="${CENTRAL_ACCOUNT:-}"
    done
    # shellcheck disable=SC2086
    stack "$STACK-members" members.yaml "${code[@]}" BootstrapStackName="$STACK" \
      TargetIds="$ORGANIZATIONAL_UNITS" Regions="$regions" ${MEMBERS_PARAMETERS:-}
  fi
  # shellcheck disable=SC2086
  stack "$STACK-policies" backup-policies.yaml BootstrapStackName="$STACK" \
    CentralVaultArn="$CENTRAL_VAULT_ARN" ${PARAMETERS:-}
  # A release without the function has nothing to deploy there.
  if [[ -f $package/${prefix}reattach.zip ]]; then
    # shellcheck disable=SC2086
    stack "$STACK-reattach" reattach.yaml "${code[@]}" BootstrapStackName="$STACK" \
      MembersStackName="${ORGANIZATIONAL_UNITS:+$STACK-members}" ${REATTACH_PARAMETERS:-}
  fi
}

undeploy() {
  local region
  delete "$STACK-reattach"
  delete "$STACK-policies"
  delete "$STACK-members"
  for region in "${others[@]}"; do delete "$STACK-member" --region "$region"; done
  delete "$STACK-rollout"
  delete "$STACK"
  cat <<'END'
What stays, so that everything is still protected:
- the backup policies and where they are attached, the policy types, trusted access and settings
- every vault, its key and its backups, and the roles for backups and restores in every account
- the bucket of state and its key
END
}

"$@"
