package vagrant

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// built is the directory for what the tests build; TestMain makes and removes it.
var built string

func TestMain(m *testing.M) {
	if code, asked := asVisitors(); asked {
		os.Exit(code)
	}
	var err error
	if built, err = os.MkdirTemp("", "hawser-vagrant-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(built)
	os.Exit(code)
}

// hawser builds the command, once for all tests.
var hawser = sync.OnceValues(func() (string, error) {
	program := filepath.Join(built, "hawser")
	if out, err := exec.Command("go", "build", "-o", program, "../cmd/hawser").
		CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
})
