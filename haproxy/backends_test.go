package haproxy

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBackends(t *testing.T) {
	require.Equal(t, []string{"app", "api", "${NAME}x", "slots"}, Backends([]Source{
		{Text: "global\n\tmaxconn 5\nbackend app # ours\n  server a 192.0.2.1:80\n  server b 192.0.2.2:80\nlisten stats\n  bind :81\n"},
		{Text: "listen api\n  bind :82\n  server \"a\" 192.0.2.1:80\nbackend \"${NAME}x\"\n server a 192.0.2.1:80\n" +
			"peers p\n server here 127.0.0.1:1\nbackend slots\n server-template s 1-9 192.0.2.1:80\nfrontend f\n bind :83\nbackend\n"},
	}))
	require.Empty(t, Backends(nil))
}
