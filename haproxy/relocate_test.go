package haproxy

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRelocated(t *testing.T) {
	for text, want := range map[string]string{
		"global\n maxconn 5\n":                                                            "global\n maxconn 5\n",
		"global\n default-path config\n":                                                  "global\n\tdefault-path origin '/etc/haproxy'\n",
		"global\n default-path parent # x":                                                "global\n\tdefault-path origin '/etc/haproxy/..'\n",
		"global\n default-path origin /x\n":                                               "global\n default-path origin /x\n",
		"global\n default-path current\n":                                                 "global\n default-path current\n",
		"global\n default-path \"$X\"\n":                                                  "?",
		"global\n .if defined(X)\n default-path config\n .endif\n":                        "?",
		"global\n .if defined(X)\n default-path origin /x\n .endif\n":                     "global\n .if defined(X)\n default-path origin /x\n .endif\n",
		"global\n default-path config\n .if defined(X)\n default-path current\n .endif\n": "?",
	} {
		got, ok := Relocated([]Source{{"/etc/haproxy/haproxy.cfg", text}})
		require.Equal(t, want != "?", ok, text)
		if ok {
			require.Equal(t, []Source{{"/etc/haproxy/haproxy.cfg", want}}, got, text)
		}
	}
	moved, ok := Relocated([]Source{{"/a/x.cfg", "global\n default-path config\n"}, {"/b/y.cfg",
		"frontend f\n"}, {"/c/z.cfg", "global\n default-path current\n"}, {"/d/z.cfg", "listen l\n"}})
	require.True(t, ok)
	require.Equal(t, []Source{{"/a/x.cfg", "global\n\tdefault-path origin '/a'\n"},
		{"/b/y.cfg", "global\n\tdefault-path origin '/b'\nfrontend f\n"},
		{"/c/z.cfg", "global\n\tdefault-path origin '/c'\nglobal\n default-path current\n"},
		{"/d/z.cfg", "listen l\n"}}, moved)
	_, ok = Relocated([]Source{{"/it's/x.cfg", "global\n default-path config\n"}})
	require.False(t, ok)
}
