package param_test

import (
	"bytes"
	"encoding/xml"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/param"
)

func TestMetadata(t *testing.T) {
	var wait time.Duration
	var name string
	doc := struct {
		XMLName xml.Name      `xml:"agent"`
		Long    param.Text    `xml:"longdesc"`
		Short   param.Text    `xml:"shortdesc"`
		Wait    param.Content `xml:"wait>content"`
		Name    param.Content `xml:"name>content"`
	}{
		Long: param.PlainText("\n<a> & 'b'\nand \"c\"\n"), Short: param.English("one's own"),
		Wait: param.ContentOf(param.Duration(&wait, time.Minute)),
		Name: param.ContentOf(param.Custom(&name, "", func(s string) (string, error) { return s, nil })),
	}
	var b bytes.Buffer
	require.NoError(t, param.WriteMetadata(&b, "<?xml?>\n", "  ", doc))
	require.Equal(t, `<?xml?>
<agent>
  <longdesc>&lt;a&gt; &amp; 'b'
and "c"</longdesc>
  <shortdesc lang="en">one's own</shortdesc>
  <wait>
    <content type="string" default="60s"></content>
  </wait>
  <name>
    <content type="string"></content>
  </name>
</agent>
`, b.String())
}
