package crm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

func TestStatusListsBans(t *testing.T) {
	cib := strings.Replace(lived(t), "</constraints>", `<rsc_location id="cli-ban-x" rsc="haproxy-clone" node="lb-2" score="-INFINITY"/></constraints>`, 1)
	require.Equal(t, []crm.Ban{{ID: "cli-ban-x", Resource: "haproxy-clone", Node: "lb-2", Score: -1000000}}, status(t, cib).Bans)
}
