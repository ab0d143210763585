"""Keeping the marks safe: backups on a rota, restoring one, checking everything."""

from __future__ import annotations

from pathlib import Path

from reader.errors import StoreDamaged, StoreError, StoreReadOnly
from reader.store import sqlite, state_check, state_repair, state_schema
from reader.store.state_core import Change, Core, Edit, Plan
from reader.store.state_schema import CHECKS, SETTINGS, STORY_SEEN


class Upkeep(Core):
    """What is done about the state as a whole."""

    def tend(self) -> None:
        """Back up if that is due (once a day with changes). For a worker, or the end of a session.

        Raises:
            StoreBusy, StoreReadOnly, StoreDamaged, StoreError
        """
        if not self._frozen and self._safety.due(self.seq(), self._clock()):
            self.backup()

    def backup(self, to: Path | None = None) -> Path:
        """Make a checked copy of the state: at *to*, which must not exist, or on the rota; where it is.

        Raises:
            StoreDamaged: the state is not sound; nothing was written.
            StoreReadOnly, StoreBusy, StoreError
        """
        if self._frozen:
            raise StoreReadOnly(self.read_only)
        if to is not None:
            self._safety.copy(to)
            return to
        with self._writing() as db:
            # Of another process that was stopped between journal and commit: the new file would cut it off.
            if self._safety.journal.settle():  # else what was refused here would come back
                state_repair.replay(db, self._safety)
            with sqlite.write(db):  # so that it is taken between two changes
                made = self._safety.back_up(self._clock())
                seq = int(state_schema.get_meta(db, "seq"))
                self._safety.journal.begin(self._id, state_schema.version(db), seq)
        return made

    def backups(self) -> list[Path]:
        """The backups on the rota, newest first."""
        return [backup.path for backup in self._safety.backups()]

    def restore(self, from_: Path) -> Change:
        """Make marks, sources, searches, rules, stories and settings what they are in a backup.

        The present state is backed up first, and the whole is one change that
        ``undo`` takes back (but for the settings). What is known of links and
        headlines is facts and stays; only what is missing is added.

        Raises:
            StoreDamaged: the backup is not sound; nothing was changed.
            StoreNewer, StoreReadOnly, StoreBusy, StoreError (no backup)
        """
        if not from_.is_file():
            raise StoreError(f"There is no backup {from_}.")
        source = state_repair.loaded(from_, from_)
        try:
            found = state_check.faults(source, whole=True)
            if found:
                raise StoreDamaged(f"{from_} is damaged ({found[0]}); nothing was restored.")
            state_schema.migrate(source)
            self.backup()
            return self._change(lambda: self._as_in(source, f"restored {from_.name}"))
        finally:
            source.close()

    def _as_in(self, source: sqlite.Connection, label: str) -> Plan:
        edits = []
        now = dict(state_repair.rows_of(self._db))
        then = dict(state_repair.rows_of(source))
        for table in state_schema.TABLES:
            if table.kept:
                width = len(table.columns)
                for key in {**now[table.name], **then[table.name]}:
                    stored, wanted = now[table.name].get(key), then[table.name].get(key)
                    before = table.blank(key) if stored is None else stored[:width]
                    after = table.blank(key) if wanted is None else wanted[:width]
                    edits.append(Edit(table, key, stored, before, after))
            elif table in (SETTINGS, STORY_SEEN):
                self._db.execute(f"DELETE FROM {table.name}")
                table.put(self._db, (row[:-1] for row in table.rows(source.execute(table.select))))
            elif table is CHECKS:
                seq = int(state_schema.get_meta(self._db, "checks_seq"))
                rows = table.rows(source.execute(table.select))
                table.add_missing(self._db, ((*row[:-2], seq + n) for n, row in enumerate(rows, 1)))
                newest = self._db.execute("SELECT coalesce(max(seq), 0) FROM checks").fetchone()[0]
                state_schema.put_meta(self._db, {"checks_seq": max(seq, newest)})
            elif table is not state_schema.META:
                table.add_missing(self._db, (row[:-1] for row in table.rows(source.execute(table.select))))
        return label, edits

    def verify(self) -> list[str]:
        """Check every byte that can be: the file, its rows, the journal, the backups; what is wrong.

        Takes its time (about a second for 50,000 marks) and holds nobody up.
        When the file itself is at fault, the next opening repairs it.

        Raises:
            StoreBusy, StoreNewer, StoreError
        """
        if self._frozen:
            with self._lock:
                return state_check.faults(self._db, whole=True)
        with self._lock:
            sqlite.check_in_place(self._db)
        live = sqlite.connect_read_only(self.path)
        try:
            found = state_check.faults(live, whole=True)
            if found:
                self._safety.suspect()
                return [f"{self.path.name}: {fault}" for fault in found] + self._second_copy_faults()
            return self._second_copy_faults() + self._differences(live)
        finally:
            live.close()

    def _second_copy_faults(self) -> list[str]:
        found = [
            f"{b.path.name}: it is not what was written" for b in self._safety.backups() if not b.sound()
        ]
        journal = self._safety.journal
        files = journal.files()
        for path, following in zip(files, [*files[1:], None], strict=True):
            if journal.segment(path) is None:
                found.append(f"{path.name}: its first line is damaged")
            elif bad := journal.needed_but_damaged(path, following):
                found.append(f"{path.name}: {bad} damaged line{'' if bad == 1 else 's'}")
        return found

    def _differences(self, live: sqlite.Connection) -> list[str]:
        """Where the state would be another one if it were restored now."""
        found = []
        with sqlite.read(live):
            now = dict(state_repair.rows_of(live))
            seq = int(state_schema.get_meta(live, "seq"))
        rebuilt = state_repair.rebuild(self._safety, None, until=seq)
        try:
            then = dict(state_repair.rows_of(rebuilt.db))
        finally:
            rebuilt.db.close()
        for name, rows in now.items():
            if rows != then[name]:
                wrong = sum(rows.get(key) != then[name].get(key) for key in {**rows, **then[name]})
                found.append(f"backup and journal differ from {self.path.name} in {wrong} rows of {name}")
        return found
