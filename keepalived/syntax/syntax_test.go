package syntax

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// write writes files below a new directory, and returns its path.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644)) //nolint:gosec // no secret
	}
	return dir
}

// outline is what statements say, those in a block in brackets.
func outline(body []*Statement) string {
	var out []string
	for _, s := range body {
		text := strings.Join(s.Words, "|")
		if s.Passed != "" {
			text = "~" + text
		}
		if s.Block {
			text += "[" + outline(s.Body) + "]"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

// What lines lead to, for the node lb-1.
func TestRead(t *testing.T) {
	for text, want := range map[string]string{
		"vrrp_instance A {\n state MASTER # x\n}\n":   "vrrp_instance|A[state|MASTER]",
		"vrrp_instance A\n{\nstate MASTER}\n":         "vrrp_instance|A[state|MASTER]",
		"vrrp_instance A{ state MASTER }":             "vrrp_instance|A[state|MASTER]",
		"vrrp_instance \"A b\" {\n}":                  "vrrp_instance|A b[]",
		"vrrp_instance A {\n state pa#ss\n}":          "vrrp_instance|A[state|pa]",
		"vrrp_instance A {\n state pa\\#s!s\n}":       "vrrp_instance|A[state|pa#s]",
		"vrrp_instance A {\n state 'a # b'\n}":        "vrrp_instance|A[state|'a]",
		"vrrp_instance A {\n state \"a # b\"\n}":      "vrrp_instance|A[state|a # b]",
		"vrrp_script s {\n script \"a { b }\"\n}":     "vrrp_script|s[script|a { b }]",
		"vrrp_instance A {\r\n\tstate MASTER\r\n}":    "vrrp_instance|A[state|MASTER]",
		"vrrp_instance A {\n track_script { a b }\n}": "vrrp_instance|A[track_script[a|b]]",
		"vrrp_instance A {\n nosuch {\n x\n }\n state B\n}": "vrrp_instance|A[~nosuch ~x] " +
			"~state|B ~}",
		"vrrp_instance A {\n nosuch x\n state B\n}": "vrrp_instance|A[~nosuch|x state|B]",
		"vrrp_instance A {\n}\nvrrp_instance A {\n state B\n}": "vrrp_instance|A[] " +
			"~vrrp_instance|A[~state|B]",
		"vrrp_instance A {\n state B\n":                   "vrrp_instance|A[state|B]",
		"$X=5\nvrrp_instance A {\n priority $X\n}":        "vrrp_instance|A[priority|5]",
		"$X=5\nvrrp_instance A {\n priority ${X}0\n}":     "vrrp_instance|A[priority|50]",
		"$X=5\nvrrp_instance A {\n priority $X0\n}":       "vrrp_instance|A[priority|$X0]",
		"$X=5\n$Y=$X\nvrrp_instance A {\n priority $Y\n}": "vrrp_instance|A[priority|5]",
		"$X=\\\n a \\\n\n# c \nvrrp_instance $X":          "vrrp_instance|a[]",
		"$B=\\\nstate X \\\npriority 3\nvrrp_instance A {\n$B\n}": "vrrp_instance|A[state|X " +
			"priority|3]",
		"@lb-1 vrrp_script a\n{ }\n@lb-2 vrrp_script b\n": "vrrp_script|a[]",
		"@^lb-1 vrrp_script a\n@^lb-2 vrrp_script b\n{}":  "vrrp_script|b[]",
		"vrrp_instance A {\n track_script {\n ~SEQ(N, 2, 2, 6) s$N weight $N\n }\n}": "" +
			"vrrp_instance|A[track_script[s2|weight|2 s4|weight|4 s6|weight|6]]",
		"vrrp_instance A {\n track_script {\n ~SEQx(N, 9, 10) s${N}\n " +
			"}\n}": "vrrp_instance|A[track_script[s9 sa]]",
		"vrrp_instance A {\n track_script {\n ~LST({N, W}, {a, 1}, {b}) ${N} ${W}x\n }\n}": "" +
			"vrrp_instance|A[track_script[a|1x b|x]]",
		"vrrp_instance A {\n track_script {\n ~SEQ(N, 2) ~SEQ(M, 2) ${N}-${M}\n }\n}": "" +
			"vrrp_instance|A[track_script[1-1 1-2 2-1 2-2]]",
	} {
		dir := write(t, map[string]string{"k.conf": text})
		c, err := Read(filepath.Join(dir, "k.conf"), Options{Node: "lb-1"})
		require.NoError(t, err, text)
		require.Equal(t, want, outline(c.Statements), text)
	}
}

// Includes: relative to the file that has them, with patterns, hidden files passed over.
func TestIncludes(t *testing.T) {
	dir := write(t, map[string]string{
		"k.conf": "include conf.d/*.conf\nincluder conf.d/{x,deep/y}.cnf\nvrrp_script " +
			"last {\n}\n",
		"conf.d/b.conf": "vrrp_script b {\n}\n", "conf.d/a.conf": "vrrp_script a {\n include " +
			"../part\n}\n",
		"conf.d/.hidden.conf": "vrrp_script hidden {\n}\n", "part": "interval 3\n",
		"conf.d/deep/y.cnf": "include z.cnf\n", "conf.d/deep/z.cnf": "vrrp_script z {\n}\n",
	})
	c, err := Read(filepath.Join(dir, "k.conf"), Options{})
	require.NoError(t, err)
	require.Equal(t, "vrrp_script|a[interval|3] vrrp_script|b[] vrrp_script|z[] vrrp_script|last[]",
		outline(c.Statements))
	require.Len(t, c.Sources, 6)
	require.Equal(t, filepath.Join(dir, "part"), c.Statements[0].Body[0].File)
}

// What is no configuration is refused, with its place, in bounded time.
func TestFaults(t *testing.T) {
	began := time.Now()
	dir := write(t, map[string]string{
		"loop.conf": "vrrp_script a {\n}\ninclude other.conf\n", "other.conf": "include loop.conf\n",
		"nul.conf": "a\nb\x00\n", "template.conf": "# {{ comment }}\nstate {{ x }}\n",
		"erb.conf": "x <%= y %>\n", "jinja.conf": "a\n{% if x %}\n", "env.conf": "priority ${PRIO}\n",
		"self.conf": "$A=$A\nvrrp_script $A\n", "many.conf": "~SEQ(A, 1000000) x\n",
		"grow.conf": "$A=$B$B$B$B$B$B$B$B\n$B=" + strings.Repeat("x", 600) + "\nv ${B}${B}\n",
		"long.conf": "script " + strings.Repeat("x", 2000) + "\n",
		"list.conf": "vrrp_instance A {\ntrack_script " +
			"{\n" + strings.Repeat("a\n", maxList+5) + "}\n}\n",
	})
	deep := map[string]string{}
	for n := range maxDepth + 3 {
		deep[fmt.Sprintf("d%d", n)] = fmt.Sprintf("include d%d\n", n+1)
	}
	large := filepath.Join(dir, "large.conf")
	f, err := os.Create(large)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(100<<20))
	require.NoError(t, f.Close())
	pipe := filepath.Join(dir, "pipe.conf")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for path, want := range map[string]string{
		"loop.conf": "include loop.conf: " + dir + "/loop.conf: it includes " +
			"itself", "nul.conf": ":2: it has a NUL byte",
		"template.conf": ":2: \"{{\": the file is a template", "erb.conf": ":1: " +
			"\"<%\"", "jinja.conf": ":2: \"{%\"",
		"env.conf": ":1: ${PRIO} is not defined", "self.conf": "defined by itself",
		"many.conf": "more than 20000 lines", "grow.conf": "longer than a " +
			"line", "long.conf": "has 2007 bytes",
		"list.conf": "track_script has more than", "nosuch.conf": "no such file", large: "larger than",
		pipe: "no regular file", "/dev/zero": "no regular file", dir: "no regular file",
		write(t, deep) + "/d0": "deep",
	} {
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		_, err := Read(path, Options{})
		var fault *Fault
		require.ErrorAs(t, err, &fault, path)
		require.ErrorContains(t, err, want, path)
		require.NotEmpty(t, fault.File, path)
	}
	require.Less(t, time.Since(began), 2*time.Minute, "deadline of the test")
}

// A quoted template mark is a script's own: docker inspect has such arguments.
func TestQuotedBracesAreNoTemplate(t *testing.T) {
	dir := write(t, map[string]string{"k.conf": "vrrp_script s {\n script \"docker inspect -f " +
		"'{{.State}}' x\"\n}\n"})
	c, err := Read(filepath.Join(dir, "k.conf"), Options{})
	require.NoError(t, err)
	words, ok := Script(c.Statements[0].Body[0].Raw)
	require.True(t, ok)
	require.Equal(t, []string{"script", "docker inspect -f '{{.State}}' x"}, words)
}

func TestScript(t *testing.T) {
	for text, want := range map[string][]string{
		`script "a b" c`: {"script", "a b", "c"}, `a 'b "c"' d\ e`: {"a", `b "c"`, "d e"},
		`a\x41\101\tb "" x`: {"aAA\tb", "", "x"}, `a"b"c`: {"abc"},
	} {
		words, ok := Script(text)
		require.True(t, ok, text)
		require.Equal(t, want, words, text)
	}
	for _, text := range []string{`a "b`, `a 'b`, `a \`} {
		_, ok := Script(text)
		require.False(t, ok, text)
	}
}

// memory has two files.
type memory [2]string

func (m memory) Read(path string, limit int64) (text []byte, executable bool, err error) {
	i := 0
	if path == "/b" {
		i = 1
	}
	if int64(len(m[i])) > limit {
		return nil, false, errors.New("too large")
	}
	return []byte(m[i]), false, nil
}

func (memory) Match(pattern string) ([]string, error) { return []string{pattern}, nil }

// FuzzRead: whatever two files say that include each other, reading them ends, with statements or a
// fault that has its place.
func FuzzRead(f *testing.F) {
	f.Add("include b\nvrrp_instance A {\n $X=1\n priority $X\n}\n", "~SEQ(A, 3) s$A\n@lb-1 x\n")
	f.Add("$A=\\\n x \\\n y\n$A\n{ } \"", "~LST({A,B},{1,2}) ${A}\n")
	f.Fuzz(func(t *testing.T, one, two string) {
		c, err := Read("/a", Options{Node: "lb-1", Files: memory{one, two}})
		if err != nil {
			var fault *Fault
			require.ErrorAs(t, err, &fault)
			require.NotEmpty(t, fault.File)
			return
		}
		for _, s := range c.Statements {
			s.All(func(s *Statement) { require.NotEmpty(t, s.Words) })
		}
	})
}
