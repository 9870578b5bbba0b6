using VoiceGrains.WebRtc.Srtp;

namespace VoiceGrains.WebRtc.Tests.Srtp;

/// <summary>Published packets and keys (RFC 3711 appendix B, RFC 7714 §16, libsrtp's own), and every profile against <see cref="ReferenceSrtp"/>.</summary>
public sealed class SrtpVectorTests
{
    private const string Rtp = "800F1234DECAFBADCAFEBABE" + "ABABABABABABABABABABABABABABABAB";
    private const string Rtcp = "81C8000BCAFEBABE" + "ABABABABABABABABABABABABABABABAB";
    private const string CmKey = "E1F97A0D3E018BE0D64FA32C06DE4139" + "0EC675AD498AFEEBB6960B3AABE6";   // RFC 3711 §B.3
    private const string GcmKey = "000102030405060708090A0B0C0D0E0F" + "A0A1A2A3A4A5A6A7A8A9AAAB";

    [Fact]
    public void AesCm_ProtectsThePacketOfLibsrtp()
    {
        const string expected = "800F1234DECAFBADCAFEBABE4E55DC4CE79978D88CA4D215949D2402B78D6ACC99EA179B8DBB";
        Assert.Equal(expected, Protect(SrtpProfile.Aes128CmSha1_80, CmKey, Rtp));
        Assert.Equal(Rtp, Unprotect(SrtpProfile.Aes128CmSha1_80, CmKey, expected));
    }

    [Fact]
    public void AesGcm_ProtectsThePacketsOfLibsrtp()
    {
        const string expected = "800F1234DECAFBADCAFEBABEC5002EDE04CFDD2EB91159E0880AA06ED2976826F796B201DF3131A127E8A392";
        const string expectedRtcp = "81C8000BCAFEBABEC98B8B5DF0392A55852B6C21AC8E7025C52C6FBEA2B3B446EA31123BA88CE61E80000001";
        Assert.Equal(expected, Protect(SrtpProfile.AeadAes128Gcm, GcmKey, Rtp));
        Assert.Equal(Rtp, Unprotect(SrtpProfile.AeadAes128Gcm, GcmKey, expected));
        Assert.Equal(Rtcp, UnprotectRtcp(SrtpProfile.AeadAes128Gcm, GcmKey, expectedRtcp));
    }

    [Fact]
    public void ReferenceDerivesTheSessionKeysOfRfc3711()
    {
        var keys = ReferenceSrtp.SessionKeys.Derive(Hex(CmKey)[..16], Hex(CmKey)[16..], firstLabel: 0);
        Assert.Equal("C61E7A93744F39EE10734AFE3FF7A087", Convert.ToHexString(keys.Key));
        Assert.Equal("30CBBC08863D8C85D49DB34A9AE1", Convert.ToHexString(keys.Salt));
        Assert.Equal("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4", Convert.ToHexString(keys.Auth));
    }

    [Theory]   // RFC 7714 §16.1.1 and §16.2.1, "Quid pro quo"
    [InlineData("000102030405060708090A0B0C0D0E0F",
        "F24DE3A3FB34DE6CACBA861C9D7E4BCABE633BD50D294E6F42A5F47A51C7D19B36DE3ADF8833899D7F27BEB16A9152CF765EE4390CCE")]
    [InlineData("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        "32B1DE78A822FE12EF9F78FA332E33AAB18012389A58E2F3B50B2A0276FFAE0F1BA63799B87B7AA3DB36DFFFD6B0F9BB7878D7A76C13")]
    public void ReferenceEncryptsThePacketOfRfc7714(string key, string expected)
    {
        var header = Hex("8040F17B8041F8D35501A0B2");
        var keys = new ReferenceSrtp.SessionKeys(Hex(key), Hex("517569642070726F2071756F"), []);
        var cipher = ReferenceSrtp.Gcm(keys, 0x5501A0B2, 0xF17B, header, "Gallia est omnis divisa in partes tres"u8.ToArray());
        Assert.Equal(expected, Convert.ToHexString(cipher));
    }

    [Theory]
    [InlineData(SrtpProfile.Aes128CmSha1_80)]
    [InlineData(SrtpProfile.AeadAes128Gcm)]
    [InlineData(SrtpProfile.AeadAes256Gcm)]
    public void EveryProfile_AgreesWithTheReference_AcrossTheWrapOfTheSequenceNumber(SrtpProfile profile)
    {
        var random = new Random(7);
        var (key, salt) = (new byte[profile.KeyLength()], new byte[profile.SaltLength()]);
        random.NextBytes(key);
        random.NextBytes(salt);
        var reference = new ReferenceSrtp(profile, key, salt);
        using var keys = new SrtpKeys(profile, [.. key, .. salt], [.. key, .. salt]);
        using var outbound = SrtpSession.Outbound(keys);
        using var inbound = SrtpSession.Inbound(keys);
        for (var index = 65_500u; index < 65_600; index++)
        {
            var packet = SrtpPackets.Rtp((ushort)index, random.Next(0, 300), ssrc: 0x11223344);
            var expected = reference.Protect(packet, rollover: index >> 16);
            Assert.Equal(expected, SrtpPackets.Protect(outbound, packet));
            Assert.Equal(packet, SrtpPackets.Unprotect(inbound, expected));

            var report = SrtpPackets.Rtcp(random.Next(0, 20), ssrc: 0x11223344);
            expected = reference.ProtectRtcp(report, index - 65_500 + 1);
            Assert.Equal(expected, SrtpPackets.ProtectRtcp(outbound, report));
            Assert.Equal(report, SrtpPackets.UnprotectRtcp(inbound, expected));
        }
    }

    private static string? Protect(SrtpProfile profile, string key, string packet)
    {
        using var keys = new SrtpKeys(profile, Hex(key), Hex(key));
        using var session = SrtpSession.Outbound(keys);
        return Convert.ToHexString(SrtpPackets.Protect(session, Hex(packet))!);
    }

    private static string? Unprotect(SrtpProfile profile, string key, string packet)
    {
        using var keys = new SrtpKeys(profile, Hex(key), Hex(key));
        using var session = SrtpSession.Inbound(keys);
        return Convert.ToHexString(SrtpPackets.Unprotect(session, Hex(packet))!);
    }

    private static string? UnprotectRtcp(SrtpProfile profile, string key, string packet)
    {
        using var keys = new SrtpKeys(profile, Hex(key), Hex(key));
        using var session = SrtpSession.Inbound(keys);
        return Convert.ToHexString(SrtpPackets.UnprotectRtcp(session, Hex(packet))!);
    }

    private static byte[] Hex(string text) => Convert.FromHexString(text);
}
