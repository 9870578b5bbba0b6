using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Dtls;

namespace VoiceGrains.WebRtc.Tests.Dtls;

/// <summary>What others put on the wire, before there is a connection and afterwards.</summary>
public sealed class DtlsForgeryTests
{
    private const string WrongFingerprint =
        "sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F";

    private static readonly DtlsCertificate Certificate = DtlsCertificate.Create();

    private readonly ManualClock _clock = new();

    [Fact]
    public void ADuplicatedRecord_IsDeliveredOnce()
    {
        using var pair = DtlsPair.Connect(_clock);
        pair.Client.Transport.TrySend("once"u8);
        var datagram = pair.Client.Outgoing.Dequeue();
        for (var i = 0; i < 3; i++)
            pair.Server.Transport.OnDatagram(datagram);
        Assert.Single(pair.Server.Received);
    }

    [Fact]
    public void RecordsThatAreTamperedWithOrCutShort_AreDropped_AndTheConnectionGoesOn()
    {
        using var pair = DtlsPair.Connect(_clock);
        pair.Client.Transport.TrySend("true"u8);
        var datagram = pair.Client.Outgoing.Dequeue();
        for (var length = 0; length < datagram.Length; length++)
            pair.Server.Transport.OnDatagram(datagram.AsSpan(0, length));
        for (var bit = 0; bit < 8 * datagram.Length; bit++)
        {
            var changed = (byte[])datagram.Clone();
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            pair.Server.Transport.OnDatagram(changed);
        }
        Assert.Empty(pair.Server.Received);
        Assert.Empty(pair.Server.Closed);

        pair.Server.Transport.OnDatagram(datagram);
        Assert.Equal("true"u8, pair.Server.Received.Single());
    }

    [Theory]
    [InlineData("15FEFF0000000000000063000202")]               // half an alert in the clear
    [InlineData("15FEFD0000000000000063000202 28")]            // a fatal alert in the clear
    [InlineData("15FEFD0000000000000063000201 00")]            // a goodbye in the clear
    [InlineData("17FEFD0000000000000063000568656C6C6F")]       // data in the clear
    [InlineData("16FEFD000000000000006300190100000D000000000000000DFEFD00000000000000000000")]
    [InlineData("14FEFD000000000000006300 0101")]              // a change of cipher in the clear
    [InlineData("80 00 00 00")]                                // RTP that lost its way
    [InlineData("14")]
    public void ForgeriesInTheClear_ChangeNothingOnceConnected(string hex)
    {
        using var pair = DtlsPair.Connect(_clock);
        pair.Server.Transport.OnDatagram(Convert.FromHexString(hex.Replace(" ", "")));
        pair.Client.Transport.OnDatagram(Convert.FromHexString(hex.Replace(" ", "")));
        Assert.Equal(0, pair.Exchange());

        Assert.True(pair.Client.Transport.TrySend("true"u8));
        pair.Exchange();
        Assert.Equal("true"u8, pair.Server.Received.Single());
        Assert.Empty(pair.Client.Closed);
    }

    [Theory]
    [InlineData("17FEFD0000000000000000000568656C6C6F")]       // data before there are keys
    [InlineData("17FEFD0001000000000000000568656C6C6F")]       // data of the next epoch: kept for later, and then found false
    [InlineData("16FEFD0000000000000000")]                     // half a record header
    [InlineData("16FEFD00000000000000000100")]                 // a record that is not there
    [InlineData("99")]
    public void JunkBeforeTheHandshake_IsNeverDelivered_AndDoesNoHarm(string hex)
    {
        using var pair = new DtlsPair(_clock);
        pair.Server.Transport.Start();
        pair.Server.Transport.OnDatagram(Convert.FromHexString(hex));
        Assert.Empty(pair.Server.Outgoing);
        pair.Client.Transport.Start();
        pair.Exchange();

        Assert.True(pair.Connected);
        Assert.Empty(pair.Server.Received);
    }

    [Theory]
    [InlineData("16FEFD0000000000000000000E 0100000200000000000000 02 FEFD 00")]   // a ClientHello of two bytes
    [InlineData("16FEFD0000000000000000000C 010FFFFF000000000000000000")]          // the first fragment of one of a megabyte
    [InlineData("16FEFD0000000000000000000C 140000000000000000000000")]            // Finished first
    public void AGarbageClientHello_IsAnsweredByOneShortAlertAtMost(string hex)
    {
        using var server = new DtlsPeer(DtlsRole.Server, WrongFingerprint, _clock, Certificate);
        server.Transport.Start();
        var datagram = Convert.FromHexString(hex.Replace(" ", ""));
        for (var i = 0; i < 3; i++)
            server.Transport.OnDatagram(datagram);
        Assert.Null(server.Keys);
        Assert.InRange(server.Outgoing.Sum(sent => sent.Length), 0, datagram.Length);
        Assert.InRange(server.Closed.Count, 0, 1);
    }
}
