package keepalived

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/internal/golden"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/keepalived/syntax"
)

// cases are the configurations in testdata, each the files of one set-up.
func cases(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("testdata/*")
	require.NoError(t, err)
	all = slices.DeleteFunc(all, func(dir string) bool { return dir == "testdata/fuzz" })
	require.Greater(t, len(all), 30)
	return all
}

func filesOf(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(dir + "/*.conf")
	require.NoError(t, err)
	require.NotEmpty(t, files, dir)
	return files
}

// TestCorpus holds what becomes of each set-up against what it became when somebody last read it, and
// has hawser read what was made.
func TestCorpus(t *testing.T) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			report, err := Import(filesOf(t, dir), nil)
			require.NotNil(t, report)
			got := "outcome: " + string(report.Outcome) + "\n"
			if err != nil {
				require.Equal(t, outcome.Usage, outcome.Of(err))
				got += "error: " + err.Error() + "\n"
			}
			for _, line := range report.Summary {
				got += line + "\n"
			}
			golden.File(t, dir+"/golden.txt", got)
			if report.YAML == "" {
				return
			}
			golden.File(t, dir+"/golden.yaml", report.YAML)
			_, err = config.ParseAs("/etc/hawser/hawser.yaml", []byte(report.YAML))
			require.NoError(t, err, report.YAML)
			for _, secret := range []string{"s3cr3t", "verysecret", "hunter", "pa#ss", "abcdef"} {
				require.NotContains(t, report.YAML+got, secret)
			}
		})
	}
}

// TestSamples reads the samples of keepalived's package.
func TestSamples(t *testing.T) {
	const dir = "/usr/share/doc/keepalived/samples"
	needs.File(t, dir)
	files, err := filepath.Glob(dir + "/keepalived.conf.*")
	require.NoError(t, err)
	require.Greater(t, len(files), 20)
	converted := 0
	for _, file := range files {
		report, err := Import(nil, []string{"lb-1=" + file, "lb-2=" + file})
		if err != nil {
			require.NotNil(t, report, "%s: %v", file, err)
			require.ErrorContains(t, err, "there is nothing to convert", file)
			continue
		}
		converted++
		_, err = config.ParseAs("/etc/hawser/hawser.yaml", []byte(report.YAML))
		require.NoError(t, err, "%s:\n%s", file, report.YAML)
	}
	require.Greater(t, converted, 8)
}

// memory are files for a test.
type memory map[string]string

func (m memory) Read(path string, limit int64) (text []byte, executable bool, err error) {
	content, ok := m[path]
	switch {
	case !ok:
		return nil, false, os.ErrNotExist
	case int64(len(content)) > limit:
		return nil, false, os.ErrInvalid
	}
	return []byte(content), false, nil
}

func (m memory) Match(pattern string) ([]string, error) {
	if _, ok := m[pattern]; ok {
		return []string{pattern}, nil
	}
	return nil, nil
}

// FuzzImport feeds the whole way with anything: what comes out is a report whose hawser.yaml is valid,
// or a fault with its place.
func FuzzImport(f *testing.F) {
	for _, dir := range []string{"testdata/usual", "testdata/oneline", "testdata/addresses",
		"testdata/scripts",
		"testdata/syncgroup", "testdata/definitions", "testdata/lvs", "testdata/notify", "testdata/reverse"} {
		one, err := os.ReadFile(dir + "/lb-1.conf")
		require.NoError(f, err)
		two, err := os.ReadFile(dir + "/lb-2.conf")
		require.NoError(f, err)
		f.Add(string(one), string(two))
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		files := memory{"/a": one, "/b": two}
		slow := time.AfterFunc(20*time.Second, func() { panic("it does not end: " + one + "\n----\n" + two) })
		defer slow.Stop()
		report, err := from(nil, []string{"lb-1=/a", "lb-2=/b"}, files)
		switch {
		case report == nil:
			var fault *syntax.Fault
			require.ErrorAs(t, err, &fault)
		case err == nil:
			_, err := config.ParseAs("/etc/hawser/hawser.yaml", []byte(report.YAML))
			require.NoError(t, err, report.YAML)
		}
	})
}
