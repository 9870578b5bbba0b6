using VoiceGrains.WebRtc.Dtls;

namespace VoiceGrains.WebRtc.Tests.Dtls;

public sealed class DtlsFingerprintTests
{
    private static readonly DtlsCertificate Certificate = DtlsCertificate.Create();

    [Theory]
    [InlineData("")]
    [InlineData("sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13")]
    [InlineData("sha-256 00:01")]
    [InlineData("sha-384" + " 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F")]
    [InlineData("sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1G")]
    [InlineData("sha-256 00-01-02-03-04-05-06-07-08-09-0A-0B-0C-0D-0E-0F-10-11-12-13-14-15-16-17-18-19-1A-1B-1C-1D-1E-1F")]
    public void AFingerprintThatIsNoSha256_IsRefused(string fingerprint)
    {
        Assert.False(DtlsFingerprint.TryParse(fingerprint, out _));
        Assert.Throws<ArgumentException>(() => new DtlsPeer(DtlsRole.Server, fingerprint, TimeProvider.System, Certificate));
    }

    [Fact]
    public void AFingerprint_IsReadInEitherCase()
    {
        Assert.Matches("^sha-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$", Certificate.Fingerprint);
        Assert.True(DtlsFingerprint.TryParse(Certificate.Fingerprint.ToLowerInvariant().Replace("sha", "SHA"), out var fingerprint));
        Assert.Equal(Certificate.Fingerprint, fingerprint.ToString());
    }
}
