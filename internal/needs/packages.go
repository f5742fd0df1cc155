package needs

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Packages makes hawser's packages of that version for this machine, as `make package` does, and
// returns their directory. Settings such as FORMATS=deb leave some of them out.
func Packages(t testing.TB, version string, settings ...string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "make", "-C", Source(t), "--no-print-directory",
		"package", "VERSION="+version, "PACKAGES="+dir, "ARCHES="+runtime.GOARCH)
	cmd.Env = append(os.Environ(), settings...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make package VERSION=%s: %v\n%s", version, err, out)
	}
	return dir
}

// Source is the root of the source tree that the test belongs to.
func Source(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("this test needs its source tree: no go.mod above it")
		}
		dir = up
	}
}
