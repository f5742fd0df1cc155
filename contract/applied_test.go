package contract

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestApplied(t *testing.T) {
	at := time.Date(2026, 11, 21, 21, 33, 5, 0, time.UTC)
	a := Applied{At: at, Node: "lb-2", User: "root", File: "/root/hawser.yaml", Sum: AppliedSum(nil)}
	require.Equal(t, "at=2026-11-21T21:33:05Z,sum=e3b0c44298fc,node=lb-2,user=root,file=/root/hawser.yaml",
		a.String())
	require.Equal(t, "lb-2:/root/hawser.yaml", a.Source())
	for _, file := range []string{"", "/a b,file=c/ü\n\xff%41\"<&.yaml", "/x,at=y"} {
		a.File = file
		text := a.String()
		for _, r := range text {
			require.True(t, r > ' ' && r <= '~', "%q", text)
		}
		back, ok := ParseApplied(text)
		require.True(t, ok, text)
		require.Equal(t, a, back)
	}
	a.File = ""
	require.Equal(t, "standard input on lb-2", a.Source())
	odd := Applied{At: at, Node: "a,b=c", User: "DOMAIN\\jo mo"}
	back, ok := ParseApplied(odd.String())
	require.True(t, ok)
	require.Equal(t, "a_b=c", back.Node)
	require.Equal(t, `DOMAIN\jo_mo`, back.User)

	later, ok := ParseApplied("at=2026-11-21T21:33:05Z,node=lb-1,mood=good,file=/x")
	require.True(t, ok)
	require.Equal(t, Applied{At: at, Node: "lb-1", File: "/x"}, later)
	for _, wrong := range []string{"", "at=2026-11-21T21:33:05Z", "at=x,file=/x", "file=/x", "node=a,file=/x",
		"at=2026-11-21T21:33:05Z,file=%zz"} {
		_, ok := ParseApplied(wrong)
		require.False(t, ok, wrong)
	}
}

func TestSameFile(t *testing.T) {
	a := Applied{Node: "lb-1", File: "/etc/hawser/hawser.yaml", Sum: "1"}
	edited, copied, other := a, a, a
	edited.Sum = "2"
	copied.Node = "lb-2"
	other.Node, other.Sum = "lb-2", "2"
	require.True(t, a.SameFile(edited))
	require.True(t, a.SameFile(copied))
	require.False(t, a.SameFile(other))
}
