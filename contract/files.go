package contract

import "path/filepath"

// RunDir is where the agents keep what they have to remember until the next boot, a directory for
// each instance. RunDirVariable in the environment overrides it.
const (
	RunDir         = "/run/hawser"
	RunDirVariable = "HAWSER_RUNDIR"
)

// Files are the files and sockets of one instance.
type Files struct{ Dir string }

// FilesOf returns the files of an instance below a runtime directory.
func FilesOf(runDir, instance string) Files { return Files{filepath.Join(runDir, instance)} }

// Instance returns the instance's name.
func (f Files) Instance() string { return filepath.Base(f.Dir) }

// RunDir returns the runtime directory that contains the instance's.
func (f Files) RunDir() string { return filepath.Dir(f.Dir) }

// State returns the file with what the agent remembers.
func (f Files) State() string { return filepath.Join(f.Dir, "state.json") }

// StatsSocket returns the socket of HAProxy's worker.
func (f Files) StatsSocket() string { return filepath.Join(f.Dir, "stats.sock") }

// MasterSocket returns the socket of HAProxy's master.
func (f Files) MasterSocket() string { return filepath.Join(f.Dir, "master.sock") }

// Pidfile returns the file with the process id of HAProxy's master.
func (f Files) Pidfile() string { return filepath.Join(f.Dir, "haproxy.pid") }

// Fragment returns the agent's own part of HAProxy's configuration, which HAProxy reads first.
func (f Files) Fragment() string { return filepath.Join(f.Dir, "hawser.cfg") }

// LastFragment returns the part of the agent's that HAProxy reads after the user's files.
func (f Files) LastFragment() string { return filepath.Join(f.Dir, "hawser-last.cfg") }

// Copies returns the directory with the configuration that HAProxy has loaded last.
func (f Files) Copies() string { return filepath.Join(f.Dir, "config") }

// StartLog returns the file with what HAProxy said when it started.
func (f Files) StartLog() string { return filepath.Join(f.Dir, "start.log") }

// Metadata returns the file with the metadata service's last answers.
func (f Files) Metadata() string { return filepath.Join(f.Dir, "metadata.json") }

// Checks returns the file with the results of the checks.
func (f Files) Checks() string { return filepath.Join(f.Dir, "checks.json") }

// Well returns the file that says since when HAProxy has been well.
func (f Files) Well() string { return filepath.Join(f.Dir, "well.json") }

// Beside returns the file that names a process which listens where this HAProxy does. It is there
// only while there is one.
func (f Files) Beside() string { return filepath.Join(f.Dir, "beside") }

// Checked returns the file that says which configuration HAProxy has accepted when the node was
// checked.
func (f Files) Checked() string { return filepath.Join(f.Dir, "checked") }

// KeeperSocket returns the keeper's socket.
func (f Files) KeeperSocket() string { return filepath.Join(f.Dir, "keeper.sock") }

// KeeperCall returns the file with the parameters in effect, for the keeper.
func (f Files) KeeperCall() string { return filepath.Join(f.Dir, "keeper.env") }

// KeeperLink and StandbyLink return the names under which the keeper and its standby are executed,
// from which the kernel takes what ps and killall see.
func (f Files) KeeperLink() string { return filepath.Join(f.Dir, KeeperProcess) }

// StandbyLink is described with KeeperLink.
func (f Files) StandbyLink() string { return filepath.Join(f.Dir, StandbyProcess) }

// ActionLock returns the file that an action locks (package ocf).
func (f Files) ActionLock() string { return filepath.Join(f.RunDir(), "."+f.Instance()+".lock") }

// KeeperLock returns the file that the keeper locks. It is beside the instance's directory, which a
// stop empties, and never removed: two keepers must not lock two files of the same name.
func (f Files) KeeperLock() string {
	return filepath.Join(f.RunDir(), "."+f.Instance()+".keeper")
}

// StandbyLock returns the file that the standby locks, beside KeeperLock.
func (f Files) StandbyLock() string {
	return filepath.Join(f.RunDir(), "."+f.Instance()+".standby")
}

// MigrateNote returns the file with which the keepers of this machine take turns with a switch of the
// kernel.
func (f Files) MigrateNote() string { return filepath.Join(f.RunDir(), ".migrate") }
