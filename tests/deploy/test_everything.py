"""Tests of what `scripts/deploy` says before it deletes everything."""

import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "scripts/deploy"))

from everything import Findings, Vault

PLACE = "`keep` in 111122223333, eu-west-1"


def lines(held: int, kept: str = "") -> list[str]:
    """Returns the losses of a vault with three backups, of which legal holds keep some."""
    holds = {f"arn:{number}": ["`audit` (hold-1)"] for number in range(held)}
    vault = Vault("111122223333", "eu-west-1", "keep", 3, "", kept=kept, held=holds)
    return Findings(vaults=[vault]).lines()


class Losses(unittest.TestCase):
    def test_the_other_backups_of_a_vault_with_a_legal_hold_are_losses(self) -> None:
        said = lines(held=1)
        self.assertEqual(said[0], f"- backups of the vault {PLACE} that no legal hold keeps: 2")
        self.assertEqual(said[-1], f"- the vault {PLACE}, with 1 of its 3 backups: `audit` (hold-1)")

    def test_a_vault_of_which_everything_is_kept_loses_nothing(self) -> None:
        for said in [lines(held=3), lines(held=1, kept="its compliance lock is final")]:
            self.assertFalse(any("no legal hold" in it for it in said), said)

    def test_a_vault_without_a_hold_is_lost_with_its_backups(self) -> None:
        self.assertEqual(lines(held=0)[0], f"- the vault {PLACE}, with 3 backups")


if __name__ == "__main__":
    unittest.main()
