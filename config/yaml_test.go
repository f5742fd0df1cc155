package config

import (
	"bytes"
	"encoding/binary"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
)

// documentRefusals are about YAML, whatever the keys are.
func documentRefusals() []refusal {
	return []refusal{
		{name: "two documents", text: "haproxy:\n---\nhaproxy:\n",
			want: "f:3:1: a second document begins here: expected only one", beyondSchema: true},
		{
			name: "unknown key",
			text: "haproxy:\n  confg: /etc/x\n",
			want: "f:2:3: haproxy.confg is not a known key: did you mean config? Known are " + haproxyKeys,
		},
		{name: "unknown key like no other", text: "haproxy:\n  backends: 2\n",
			want: "f:2:3: haproxy.backends is not a known key: known are " + haproxyKeys},
		{name: "the agent's word", text: "haproxy:\n  conffile: /etc/x\n",
			want: "f:2:3: haproxy.conffile: in hawser.yaml the key is config"},
		{name: "duplicate key", text: "haproxy:\nhaproxy:\n",
			want: "f:2:1: haproxy is given twice: the first is in line 1", beyondSchema: true},
		{
			name:         "duplicate inner key",
			text:         "haproxy:\n  monitor: 1s\n  monitor: 2s\n",
			want:         "f:3:3: haproxy.monitor is given twice: the first is in line 2",
			beyondSchema: true,
		},
		{
			name:         "control character",
			text:         "haproxy: {config: \"/etc/\\x01\"}",
			want:         `f:1:19: haproxy.config has the character "\x01", which the cluster's configuration cannot hold`,
			beyondSchema: true,
		},
		{name: "unknown anchor", text: "haproxy: {config: *x}",
			want: "f:1:19: *x refers to an anchor that is not defined above"},
		{
			name:         "merge",
			text:         "haproxy:\n  <<: {config: /b}\n",
			want:         "f:2:3: merge keys (<<) are not supported: write the keys out",
			beyondSchema: true,
		},
		{name: "tag", text: "haproxy: {config: !!str /x}",
			want: "f:1:19: tags such as !!str are not supported", beyondSchema: true},
		{name: "empty value", text: "haproxy: {config: ' '}",
			want: "f:1:19: haproxy.config is empty: expected an absolute path"},
	}
}

func TestByteOrderMarkAndLineEnds(t *testing.T) {
	c, err := Parse("f.yaml", []byte("\xef\xbb\xbffencing: off\r\nhaproxy:\r\n  monitor: 20s\r\n"))
	require.NoError(t, err)
	require.Equal(t, FencingOff, c.Fencing.Way)
	require.Equal(t, "20s", c.HAProxy.Monitor)
}

// What editors on Windows save as "Unicode" is no YAML to the parser, and looks like it to whoever
// wrote it.
func TestUTF16(t *testing.T) {
	encoded := func(mark string, order binary.AppendByteOrder) []byte {
		out := []byte(mark)
		for _, unit := range utf16.Encode([]rune("# für lb-1\r\nhaproxy:\r\n")) {
			out = order.AppendUint16(out, unit)
		}
		return out
	}
	for name, tc := range map[string]struct {
		text []byte
		want string
	}{
		"little endian": {encoded("\xff\xfe", binary.LittleEndian), "UTF-16"},
		"big endian":    {encoded("\xfe\xff", binary.BigEndian), "UTF-16"},
		"no mark":       {encoded("", binary.LittleEndian), "UTF-16LE"},
		"no mark, big":  {encoded("", binary.BigEndian), "UTF-16BE"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f.yaml", tc.text)
			require.EqualError(t, err, "f.yaml:1:1: the file is UTF-16, as some editors on "+
				"Windows write it, and has to be UTF-8: iconv -f "+tc.want+
				" -t UTF-8 FILE > CONVERTED")
			iconv := exec.CommandContext(t.Context(), needs.Command(t, "iconv"), "-f", tc.want, "-t", "UTF-8")
			iconv.Stdin = bytes.NewReader(tc.text)
			converted, err := iconv.Output()
			require.NoError(t, err)
			_, err = Parse("f.yaml", converted)
			require.NoError(t, err, "%q", converted)
		})
	}
}

func TestAnotherProgramsFile(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"keepalived": {"! Configuration\n\nvrrp_instance VI_1 {\n    state MASTER\n}\n",
			"but a configuration of keepalived"},
		"keepalived, brace below": {"global_defs\n{\n}\n", "but a configuration of keepalived"},
		"HAProxy":                 {"global\n\tlog /dev/log local0\n", "but a configuration of HAProxy: name it in haproxy.config"},
		"HAProxy, CRLF":           {"# x\r\nfrontend web\r\n\tbind :80\r\n", "but a configuration of HAProxy"},
		"Corosync":                {"totem {\n  version: 2\n}\n", "but a corosync.conf"},
		"crmsh":                   {"primitive a ocf:pacemaker:Dummy \\\n  op monitor interval=10s\n", "but written for crmsh: `hawser configure load` reads it"},
		"crmsh, a property":       {"property stonith-enabled=false\n", "but written for crmsh"},
		"XML":                     {"<cib/>\n", "but XML"},
		"a program":               {"\x7fELF\x02\x01\x01\x00", "but not text"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(tc.text))
			require.ErrorContains(t, err, "f.yaml:1:1: this is not a hawser.yaml "+tc.want)
			require.NotContains(t, err.Error(), "\n", "one fault")
		})
	}
	for _, right := range []string{
		"# primitive a b\nhaproxy: {}\n", "haproxy:\n  extra: >\n    global\n    frontend web\n",
		"fencing: off\nhaproxy: {}\n# totem {\n",
	} {
		_, err := Parse("f.yaml", []byte(right))
		require.NoError(t, err)
	}
}

// What is not ours may be secret.
func TestAFileOfKeysThatAreNotOurs(t *testing.T) {
	_, err := Parse("shadow", []byte("root:$6$secret:1:\nlist:*:2:\nirc:*:3:\n"))
	require.EqualError(t, err, "shadow:1:1: this is not a hawser.yaml: it has 3 keys, and none of "+
		"them is one of haproxy, floating_ips, groups, resources, sites, quorum, fencing")
	_, err = Parse("f", []byte("a: 1\nb: 2\nhaproxi: {}\n"))
	require.ErrorContains(t, err, "did you mean haproxy?")
}

func TestNotYAML(t *testing.T) {
	_, err := Parse("f", []byte("haproxy:\n  config: [unclosed\n"))
	require.ErrorContains(t, err, "f:2:")
	require.ErrorContains(t, err, "is not YAML: ")
	require.NotContains(t, err.Error(), "\n")
}

func TestTooLong(t *testing.T) {
	_, err := Parse("f", []byte(strings.Repeat("#", maxConfigSize+1)))
	require.EqualError(t, err, "f: is longer than 64 KiB: this is not a hawser.yaml")
}

// Nesting is refused before it is read: the parser would need seconds, and much memory.
func TestNestedTooDeep(t *testing.T) {
	for _, tc := range []struct{ text, at string }{
		{strings.Repeat("[", 60_000), "f:1:33: "},
		{strings.Repeat("[\n", 30_000), "f:33:1: "},
		{strings.Repeat("{a: ", 15_000), "f:1:129: "},
		{strings.Repeat("[a,", 20_000), "f:1:97: "},
		{"haproxy:\n" + strings.Repeat("- ", 30_000) + "x\n", "f:2:65: "},
	} {
		_, err := Parse("f", []byte(tc.text))
		require.EqualError(t, err, tc.at+"lists and mappings are nested more than 32 deep here: this is "+
			"not a hawser.yaml")
	}
	// What is only text, or one beside the other, is not nested.
	for _, text := range []string{
		"haproxy: {}\n# " + strings.Repeat("[", 60_000) + "\n",
		"haproxy: {extra: '" + strings.Repeat("[", 100) + "'}\n",
		"haproxy: {checks: [" + strings.Repeat("{}, ", 100) + "]}\n",
		"haproxy:\n  checks:\n" + strings.Repeat("  - {}\n", 100),
	} {
		_, err := Parse("f", []byte(text))
		if err != nil {
			require.NotContains(t, err.Error(), "nested")
		}
	}
}
