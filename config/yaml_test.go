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
