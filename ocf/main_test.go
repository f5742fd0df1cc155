package ocf_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/ocf/ocftest"
)

func toyOf(t *testing.T, params map[string]string) *ocftest.Resource {
	t.Helper()
	r := ocftest.New(t, newToy, params)
	if params["state"] == "" && params["file"] == "" {
		params["state"] = filepath.Join(t.TempDir(), "state")
	}
	return r
}

func TestHandlerThatIgnoresItsContextIsLeftBehind(t *testing.T) {
	r := toyOf(t, map[string]string{"fault": "ignores its context"})
	result := r.Run("start", map[string]string{"OCF_RESKEY_CRM_meta_timeout": "1000"})
	require.Equal(t, ocf.ErrGeneric, result.Code)
	require.Less(t, result.Took, time.Second)
	require.Contains(t, result.Reason, "start not finished after 900ms")
}

func TestMonitorAnswers(t *testing.T) {
	for fault, want := range map[string]struct {
		code   ocf.Code
		reason string
	}{
		"degraded":      {ocf.DegradedCode, "one leg is off"},
		"unknown":       {ocf.ErrGeneric, "cannot tell"},
		"foreign words": {ocf.ErrGeneric, `"caf?" <b> is?[31m off & so on`},
		"level 10":      {ocf.ErrGeneric, "the deep check failed"},
	} {
		r := toyOf(t, map[string]string{"fault": fault})
		result := r.Monitor(10)
		require.Equal(t, want.code, result.Code, fault)
		require.Equal(t, want.reason, result.Reason, fault)
	}
}

func TestAStartIsGoodWhereTheResourceIsDegraded(t *testing.T) {
	result := toyOf(t, map[string]string{"fault": "degraded"}).Start()
	require.Equal(t, ocf.Success, result.Code)
	require.Contains(t, result.Stderr, "WARNING: start: degraded: one leg is off")
}

func TestSecretsAreNeverShown(t *testing.T) {
	logfile := filepath.Join(t.TempDir(), "log")
	r := toyOf(t, map[string]string{"fault": "says the token", "token": "dop_v1_secret"})
	r.Env["HA_LOGFILE"] = logfile
	result := r.Start()
	require.Equal(t, ocf.ErrPerm, result.Code)
	require.Equal(t, "the token ******** was refused", result.Reason, "and in one line")
	log, err := os.ReadFile(logfile)
	require.NoError(t, err)
	require.Regexp(t, `(?m)^\w{3} \d\d \d\d:\d\d:\d\d  toy\(test\)\[\d+\]:    INFO: starting with \*{8}$`, string(log))
	require.Regexp(t, `(?m)ERROR: start: the token \*{8} was refused$`, string(log))
	require.NotContains(t, result.Stdout+result.Stderr+string(log), "dop_v1_secret")
}

func TestASecretThatThisNodeHasNoCopyOf(t *testing.T) {
	result := toyOf(t, map[string]string{"token": "lrm://"}).Start()
	require.Equal(t, ocf.ErrInstalled, result.Code)
	require.Contains(t, result.Reason, "cibsecret sync")
}

func TestParameters(t *testing.T) {
	for name, c := range map[string]struct {
		params map[string]string
		reason string
	}{
		"required": {map[string]string{"state": "", "file": ""},
			"parameter state is not set"},
		"relative path": {map[string]string{"state": "here"},
			`parameter state="here" is not an absolute path: begin with /`},
		"older name": {map[string]string{"file": "here"},
			`parameter file="here" is not an absolute path: begin with /`},
		"several faults": {map[string]string{"level": "0", "every": "-1s"},
			`parameter level="0" is not a whole number from 1 to 9; parameter every="-1s" is not a length of time: write a whole number and a unit, such as 500ms, 15s or 2m`},
		"zone": {map[string]string{"addr": "fe80::1%eth0"},
			`parameter addr="fe80::1%eth0" has a zone: give the address alone, and the interface in its own parameter`},
		"open quote": {map[string]string{"words": "a 'b"},
			`parameter words="a 'b" has an opening quote that is never closed`},
	} {
		t.Run(name, func(t *testing.T) {
			r := ocftest.New(t, newToy, c.params)
			if name != "required" && c.params["state"] == "" && c.params["file"] == "" {
				c.params["state"] = filepath.Join(t.TempDir(), "state")
			}
			result := r.Start()
			require.Equal(t, ocf.ErrConfigured, result.Code)
			require.Equal(t, c.reason, result.Reason)
		})
	}
}

func TestNameWinsOverItsOlderName(t *testing.T) {
	dir := t.TempDir()
	r := ocftest.New(t, newToy, map[string]string{"state": filepath.Join(dir, "new"),
		"file": filepath.Join(dir, "old")})
	require.Equal(t, ocf.Success, r.Start().Code)
	require.FileExists(t, filepath.Join(dir, "new"))
	require.NoFileExists(t, filepath.Join(dir, "old"))
}

func TestRuntimeDirectoryThatIsSomebodyElses(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"a symlink": func(t *testing.T, dir string) {
			require.NoError(t, os.Symlink(t.TempDir(), dir))
		},
		"a file": func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(dir, nil, 0o600))
		},
		"writable by others": func(t *testing.T, dir string) {
			require.NoError(t, os.Mkdir(dir, 0o700))
			require.NoError(t, os.Chmod(dir, 0o777)) //nolint:gosec // that is the fault
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := toyOf(t, map[string]string{})
			spoil(t, filepath.Join(r.RunDir(), r.Instance))
			result := r.Start()
			require.Equal(t, ocf.ErrPerm, result.Code)
			require.Contains(t, result.Reason, "remove it")
		})
	}
}

// A start refuses a directory that others could have written to or put there. All else goes on: a
// stop that is refused would have the node fenced.
func TestRuntimeDirectoryThatIsNotOursIsMadeOurs(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"a symlink": func(t *testing.T, dir string) {
			elsewhere := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(elsewhere, "kept"), nil, 0o600))
			require.NoError(t, os.RemoveAll(dir))
			require.NoError(t, os.Symlink(elsewhere, dir))
			t.Cleanup(func() { require.FileExists(t, filepath.Join(elsewhere, "kept")) })
		},
		"a file": func(t *testing.T, dir string) {
			require.NoError(t, os.RemoveAll(dir))
			require.NoError(t, os.WriteFile(dir, nil, 0o600))
		},
		"writable by a group": func(t *testing.T, dir string) {
			require.NoError(t, os.Chmod(dir, 0o775)) //nolint:gosec // that is the fault
			require.NoError(t, os.WriteFile(filepath.Join(dir, "planted"), nil, 0o600))
			require.NoError(t, os.Lchown(filepath.Join(dir, "planted"), 65534, 65534))
			t.Cleanup(func() { require.NoFileExists(t, filepath.Join(dir, "planted")) })
		},
		"another user's": func(t *testing.T, dir string) {
			require.NoError(t, os.Lchown(dir, 65534, 65534))
		},
		"in a directory of another user": func(t *testing.T, dir string) {
			require.NoError(t, os.Lchown(filepath.Dir(dir), 65534, 65534))
		},
		"beside a lock of another user": func(t *testing.T, dir string) {
			lock := filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".lock")
			require.NoError(t, os.Remove(lock))
			require.NoError(t, os.Symlink("/nonexistent/file", lock))
		},
	} {
		t.Run(name, func(t *testing.T) {
			needs.Root(t)
			r := toyOf(t, map[string]string{})
			dir := filepath.Join(r.RunDir(), r.Instance)
			require.Equal(t, ocf.Success, r.Start().Code)
			spoil(t, dir)
			for _, run := range []func() ocftest.Result{r.Probe, func() ocftest.Result {
				return r.Monitor(0)
			}, func() ocftest.Result { return r.Run("reload-agent", nil) }, r.Stop} {
				result := run()
				require.Equal(t, ocf.Success, result.Code, result.Stderr)
			}
			info, err := os.Lstat(dir)
			require.NoError(t, err)
			require.Equal(t, os.ModeDir|0o700, info.Mode())
			require.Equal(t, ocf.NotRunning, r.Monitor(0).Code)
			require.Equal(t, ocf.Success, r.Start().Code)
		})
	}
}

// Where the runtime directory cannot be made, nothing starts, and what does not run can be stopped.
func TestNoRuntimeDirectory(t *testing.T) {
	r := toyOf(t, map[string]string{})
	r.Env["HAWSER_RUNDIR"] = filepath.Join(r.RunDir(), "not", "here")
	require.Equal(t, ocf.NotRunning, r.Probe().Code)
	require.Equal(t, ocf.Success, r.Stop().Code)
	require.Equal(t, ocf.ErrGeneric, r.Start().Code)
	require.Equal(t, ocf.Success, r.Stop().Code)
	require.NoError(t, os.WriteFile(r.Params["state"], nil, 0o600)) // it runs
	result := r.Monitor(0)
	require.Equal(t, ocf.DegradedCode, result.Code)
	require.Contains(t, result.Reason, "cannot make the runtime directory")
}

// A lock that stays taken delays a stop and a monitor, and fails neither.
func TestLockThatStaysTaken(t *testing.T) {
	r := toyOf(t, map[string]string{})
	require.Equal(t, ocf.Success, r.Start().Code)
	lock, err := os.OpenFile(filepath.Join(r.RunDir(), "."+r.Instance+".lock"), os.O_RDWR, 0)
	require.NoError(t, err)
	defer func() { _ = lock.Close() }()
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	soon := map[string]string{"OCF_RESKEY_CRM_meta_timeout": "2000",
		"OCF_RESKEY_CRM_meta_interval": "10000"}
	result := r.Run("monitor", soon)
	require.Equal(t, ocf.DegradedCode, result.Code, "by Busy")
	require.Contains(t, result.Reason, "somebody plays with it")
	result = r.Run("reload-agent", soon)
	require.Equal(t, ocf.ErrGeneric, result.Code)
	require.Contains(t, result.Reason, "under way the whole time")
	result = r.Run("stop", soon)
	require.Equal(t, ocf.Success, result.Code, result.Stderr)
	require.Less(t, result.Took, 2*time.Second)
	require.NoFileExists(t, r.Params["state"])
}

func TestRuntimeDirectoryThatWasOpenedToOthersIsClosed(t *testing.T) {
	r := toyOf(t, map[string]string{})
	require.NoError(t, os.Chmod(r.RunDir(), 0o777)) //nolint:gosec // that is the fault
	for _, run := range []func() ocftest.Result{r.Start, r.Stop} {
		require.Equal(t, ocf.Success, run().Code, "a stop that is refused would fence the node")
	}
	info, err := os.Stat(r.RunDir())
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o022)
}

func TestNumbersInTheEnvironment(t *testing.T) {
	for _, name := range []string{"OCF_RESKEY_CRM_meta_timeout", "OCF_RESKEY_CRM_meta_interval",
		"OCF_CHECK_LEVEL"} {
		result := toyOf(t, map[string]string{}).Run("monitor", map[string]string{name: "soon"})
		require.Equal(t, ocf.ErrArgs, result.Code)
		require.Contains(t, result.Reason, name)
	}
}

func TestCodeOf(t *testing.T) {
	inner := ocf.Errorf(ocf.ErrInstalled, "no file")
	require.Equal(t, ocf.Success, ocf.CodeOf(nil))
	require.Equal(t, ocf.ErrGeneric, ocf.CodeOf(os.ErrNotExist))
	require.Equal(t, ocf.ErrInstalled, ocf.CodeOf(ocf.Errorf(ocf.ErrInstalled, "twice: %w", inner)))
	require.Equal(t, ocf.ErrGeneric,
		ocf.CodeOf(ocf.Errorf(ocf.ErrConfigured, "slow: %w", os.ErrDeadlineExceeded)),
		"the net package's deadline too")
}

// TestALogThatHangs holds nothing up: a daemon that no longer reads what it is sent.
func TestALogThatHangs(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "log")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	pipe, err := os.OpenFile(fifo, os.O_RDWR|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	defer func() { _ = pipe.Close() }()
	require.NoError(t, pipe.SetWriteDeadline(time.Now().Add(50*time.Millisecond)))
	_, err = pipe.Write(make([]byte, 1<<24))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "it is full")
	r := toyOf(t, map[string]string{})
	r.Env["HA_LOGFILE"] = fifo
	r.Env["OCF_RESKEY_CRM_meta_timeout"] = "5000"
	result := r.Start()
	require.Equal(t, ocf.Success, result.Code, result.Stderr)
	require.Less(t, result.Took, 3*time.Second)
	result = r.With("fault", "unknown").Monitor(0)
	require.Equal(t, ocf.ErrGeneric, result.Code)
	require.Equal(t, "cannot tell", result.Reason)
	require.Less(t, result.Took, 3*time.Second)
}

// TestAStopNeedsNoNumbers: a start that is refused for a number is followed by a stop with the same
// one.
func TestAStopNeedsNoNumbers(t *testing.T) {
	r := toyOf(t, map[string]string{"OCF_CHECK_LEVEL": "deep"})
	require.Equal(t, ocf.ErrArgs, r.Start().Code)
	require.Equal(t, ocf.Success, r.Stop().Code)
}
