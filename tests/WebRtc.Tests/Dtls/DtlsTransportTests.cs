using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Dtls;
using VoiceGrains.WebRtc.Srtp;

namespace VoiceGrains.WebRtc.Tests.Dtls;

public sealed class DtlsTransportTests
{
    private readonly ManualClock _clock = new();

    [Fact]
    public void Handshake_GivesBothSidesTheSameKeys_CrossedOver()
    {
        using var pair = DtlsPair.Connect(_clock);

        Assert.Equal(SrtpProfile.AeadAes128Gcm, pair.Client.Keys!.Value.Profile);
        Assert.Equal(SrtpProfile.AeadAes128Gcm, pair.Server.Keys!.Value.Profile);
        Assert.Equal(28, pair.Client.Keys.Value.Inbound.Length);
        Assert.Equal(pair.Client.Keys.Value.Inbound, pair.Server.Keys.Value.Outbound);
        Assert.Equal(pair.Client.Keys.Value.Outbound, pair.Server.Keys.Value.Inbound);
        Assert.NotEqual(pair.Client.Keys.Value.Outbound, pair.Client.Keys.Value.Inbound);
        Assert.Equal(default, pair.Client.Transport.Statistics);
        Assert.Equal(default, pair.Server.Transport.Statistics);
    }
}
