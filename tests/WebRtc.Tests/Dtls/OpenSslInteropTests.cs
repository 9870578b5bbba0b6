using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using VoiceGrains.WebRtc.Dtls;
using VoiceGrains.WebRtc.Srtp;

namespace VoiceGrains.WebRtc.Tests.Dtls;

/// <summary>Handshakes with the openssl command over UDP, in both roles.</summary>
public sealed class OpenSslInteropTests(OpenSslInteropTests.Files files) : IClassFixture<OpenSslInteropTests.Files>
{
    private const string Export = "-keymatexport EXTRACTOR-dtls_srtp -keymatexportlen";
    private const string AllProfiles = "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM";

    private static readonly DtlsCertificate Ours = DtlsCertificate.Create();

    [Theory]
    [InlineData(AllProfiles, "ECDHE-ECDSA-AES128-GCM-SHA256", SrtpProfile.AeadAes128Gcm)]
    [InlineData("SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM", "ECDHE-ECDSA-AES256-GCM-SHA384", SrtpProfile.AeadAes256Gcm)]
    [InlineData("SRTP_AES128_CM_SHA1_32:SRTP_AES128_CM_SHA1_80", "ECDHE-ECDSA-CHACHA20-POLY1305", SrtpProfile.Aes128CmSha1_80)]
    public async Task AsServer_WeAgreeWithSClient_AndExportTheSameKeys(string profiles, string cipher, SrtpProfile expected)
    {
        using var peer = new DtlsPeer(DtlsRole.Server, files.EcFingerprint, TimeProvider.System, Ours);
        await using var carrier = new UdpCarrier(peer);
        peer.Transport.Start();
        using var client = Client(carrier, $"-cipher {cipher} -use_srtp {profiles} {Export} {ExportLength(expected)}");

        await carrier.UntilAsync(() => peer.Keys is not null);
        Assert.Equal(expected, peer.Keys!.Value.Profile);
        Assert.Equal(await client.WaitForAsync("Keying material: "), Material(peer, client: peer.Keys.Value.Inbound, server: peer.Keys.Value.Outbound));

        await client.TypeAsync("hello");
        await carrier.UntilAsync(() => peer.Received.Count > 0);
        Assert.Equal("hello\n"u8, peer.Received.Single());
        Assert.True(peer.Transport.TrySend("good day\n"u8));
        await client.WaitForAsync("good day");

        client.CloseInput();
        await carrier.UntilAsync(() => peer.Closed.Count > 0);
        Assert.Equal("The peer closed the DTLS connection.", peer.Closed.Single());
        Assert.Equal((1, 1), (peer.Transport.Statistics.AlertsSent, peer.Transport.Statistics.AlertsReceived));
        Assert.False(peer.Transport.TrySend("too late"u8));
    }

    [Theory]
    [InlineData("ec", "", SrtpProfile.AeadAes128Gcm)]
    [InlineData("rsa", "-cipher ECDHE-RSA-AES256-GCM-SHA384", SrtpProfile.AeadAes256Gcm)]
    public async Task AsClient_WeAgreeWithSServer_AndExportTheSameKeys(string certificate, string options, SrtpProfile expected)
    {
        var offer = expected == SrtpProfile.AeadAes128Gcm ? "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80" : "SRTP_AEAD_AES_256_GCM";
        using var server = Server(certificate, $"{options} -use_srtp {offer} {Export} {ExportLength(expected)}");
        using var peer = new DtlsPeer(DtlsRole.Client, files.Fingerprint(certificate), TimeProvider.System, Ours);
        await using var carrier = new UdpCarrier(peer, await PortOf(server));
        peer.Transport.Start();

        await carrier.UntilAsync(() => peer.Keys is not null);
        Assert.Equal(expected, peer.Keys!.Value.Profile);
        Assert.Equal(await server.WaitForAsync("Keying material: "), Material(peer, client: peer.Keys.Value.Outbound, server: peer.Keys.Value.Inbound));

        Assert.True(peer.Transport.TrySend("good day\n"u8));
        await server.WaitForAsync("good day");
        await server.TypeAsync("hello");
        await carrier.UntilAsync(() => peer.Received.Count > 0);
        Assert.Equal("hello\n"u8, peer.Received.Single());

        peer.Transport.Dispose();
        await server.WaitForAsync("DONE");
        Assert.Empty(peer.Closed);
    }

    [Theory]
    [InlineData("-dtls1_2 -cipher AES128-SHA:@SECLEVEL=0", "no shared cipher")]
    [InlineData("-dtls1_2 -cipher AES128-GCM-SHA256:@SECLEVEL=0", "no shared cipher")]             // RSA key exchange: no forward secrecy
    [InlineData("-dtls1_2 -cipher ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0", "no shared cipher")]     // CBC
    [InlineData("-dtls1_2 -cipher ECDHE-ECDSA-NULL-SHA:NULL-SHA256:@SECLEVEL=0", "no shared cipher")]
    [InlineData("-dtls1_2 -cipher ADH-AES128-GCM-SHA256:@SECLEVEL=0", "no shared cipher")]
    [InlineData("-dtls1 -cipher ALL:@SECLEVEL=0", "unsupported protocol")]
    public async Task AsServer_WeakSuitesAndVersions_AreRefused(string options, string reason)
    {
        using var peer = new DtlsPeer(DtlsRole.Server, files.EcFingerprint, TimeProvider.System, Ours);
        await using var carrier = new UdpCarrier(peer);
        peer.Transport.Start();
        using var client = Client(carrier, $"-use_srtp {AllProfiles}", options);

        await carrier.UntilAsync(() => peer.Closed.Count > 0);
        Assert.Equal($"The DTLS handshake failed: {reason}.", peer.Closed.Single());
        Assert.Null(peer.Keys);
        Assert.Equal(1, peer.Transport.Statistics.AlertsSent);
    }

    [Theory]
    [InlineData("-use_srtp SRTP_AES128_CM_SHA1_32")]
    [InlineData("")]
    public async Task AsServer_WithoutAnSrtpProfileOfOurs_NobodyIsConnected(string options)
    {
        using var peer = new DtlsPeer(DtlsRole.Server, files.EcFingerprint, TimeProvider.System, Ours);
        await using var carrier = new UdpCarrier(peer);
        peer.Transport.Start();
        using var client = Client(carrier, options);

        await carrier.UntilAsync(() => peer.Closed.Count > 0);
        Assert.Equal("The peer takes none of the SRTP profiles offered.", peer.Closed.Single());
        Assert.Null(peer.Keys);
    }

    [Fact]
    public async Task AsServer_WithoutTheExtendedMasterSecret_NobodyIsConnected()
    {
        using var peer = new DtlsPeer(DtlsRole.Server, files.EcFingerprint, TimeProvider.System, Ours);
        await using var carrier = new UdpCarrier(peer);
        peer.Transport.Start();
        using var client = Client(carrier, $"-use_srtp {AllProfiles}", configuration: files.NoExtendedMasterSecret);

        await carrier.UntilAsync(() => peer.Closed.Count > 0);
        Assert.Equal("The peer does not use the extended master secret.", peer.Closed.Single());
    }

    [Fact]
    public async Task AsServer_AnotherCertificateThanInTheSdp_IsRefused()
    {
        using var peer = new DtlsPeer(DtlsRole.Server, files.Fingerprint("rsa"), TimeProvider.System, Ours);
        await using var carrier = new UdpCarrier(peer);
        peer.Transport.Start();
        using var client = Client(carrier, $"-use_srtp {AllProfiles}");

        await carrier.UntilAsync(() => peer.Closed.Count > 0);
        Assert.Equal("The peer's certificate is not the one whose fingerprint the SDP holds.", peer.Closed.Single());
        Assert.Null(peer.Keys);
        await client.WaitForAsync("alert");
    }

    [Fact]
    public async Task AsServer_WithoutACertificate_NobodyIsConnected()
    {
        using var peer = new DtlsPeer(DtlsRole.Server, files.EcFingerprint, TimeProvider.System, Ours);
        await using var carrier = new UdpCarrier(peer);
        peer.Transport.Start();
        using var client = new OpenSslProgram($"s_client -connect 127.0.0.1:{carrier.Port} -dtls1_2 -use_srtp {AllProfiles}");

        await carrier.UntilAsync(() => peer.Closed.Count > 0);
        Assert.Equal("The DTLS handshake failed: peer did not return a certificate.", peer.Closed.Single());
    }

    [Fact]
    public async Task AsServer_ARenegotiation_IsRefusedByAnAlert_AndTheKeysStay()
    {
        using var peer = new DtlsPeer(DtlsRole.Server, files.EcFingerprint, TimeProvider.System, Ours);
        await using var carrier = new UdpCarrier(peer);
        peer.Transport.Start();
        using var client = Client(carrier, $"-use_srtp {AllProfiles}");
        await carrier.UntilAsync(() => peer.Keys is not null);
        await client.WaitForAsync("Extended master secret: yes");

        await client.TypeAsync("R");
        await client.WaitForAsync("RENEGOTIATING");
        await carrier.UntilAsync(() => peer.Transport.Statistics.AlertsSent > 0);
        await client.WaitForAsync("no renegotiation");
    }

    [Fact]
    public async Task AsClient_ARenegotiation_IsRefusedByAnAlert_AndTheKeysStay()
    {
        using var server = Server("ec", "-use_srtp SRTP_AEAD_AES_128_GCM");
        using var peer = new DtlsPeer(DtlsRole.Client, files.EcFingerprint, TimeProvider.System, Ours);
        await using var carrier = new UdpCarrier(peer, await PortOf(server));
        peer.Transport.Start();
        await carrier.UntilAsync(() => peer.Keys is not null);
        await server.WaitForAsync("CIPHER is");

        await server.TypeAsync("r");
        await carrier.UntilAsync(() => peer.Closed.Count > 0);   // s_server takes the refusal for a reason to leave
        Assert.Equal("The peer refused the DTLS connection: handshake failure.", peer.Closed.Single());
        Assert.Equal((1, 1), (peer.Transport.Statistics.AlertsSent, peer.Transport.Statistics.AlertsReceived));
    }

    private OpenSslProgram Client(UdpCarrier carrier, string options, string version = "-dtls1_2", string? configuration = null)
        => new($"s_client -connect 127.0.0.1:{carrier.Port} {version} -cert {files.Pem("ec")} {options}", configuration);

    private OpenSslProgram Server(string certificate, string options)
        => new($"s_server -accept 127.0.0.1:0 -dtls1_2 -mtu 1200 -Verify 1 -cert {files.Pem(certificate)} {options}");

    private static async Task<int> PortOf(OpenSslProgram server) => int.Parse((await server.WaitForAsync("ACCEPT 127.0.0.1:")));

    private static int ExportLength(SrtpProfile profile) => 2 * (profile.KeyLength() + profile.SaltLength());

    /// <summary>The exported block put together again from the keys (RFC 5764 §4.2).</summary>
    private static string Material(DtlsPeer peer, byte[] client, byte[] server)
    {
        var key = peer.Keys!.Value.Profile.KeyLength();
        return Convert.ToHexString([.. client[..key], .. server[..key], .. client[key..], .. server[key..]]);
    }

    /// <summary>Certificates for openssl, made once.</summary>
    public sealed class Files : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dtls");
        private readonly Dictionary<string, string> _fingerprints = [];

        public Files()
        {
            using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            Write("ec", new CertificateRequest("CN=test", ec, HashAlgorithmName.SHA256), ec);
            using var rsa = RSA.Create(2048);
            Write("rsa", new CertificateRequest("CN=test", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), rsa);
            NoExtendedMasterSecret = Path.Combine(_folder.FullName, "no-ems.cnf");
            File.WriteAllText(NoExtendedMasterSecret,
                "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nOptions = -ExtendedMasterSecret\n");
        }

        public string EcFingerprint => Fingerprint("ec");

        public string NoExtendedMasterSecret { get; }

        public string Fingerprint(string name) => _fingerprints[name];

        public string Pem(string name) => Path.Combine(_folder.FullName, name + ".pem");

        public void Dispose() => _folder.Delete(recursive: true);

        private void Write(string name, CertificateRequest request, AsymmetricAlgorithm key)
        {
            using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            File.WriteAllText(Pem(name), certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
            _fingerprints[name] = DtlsFingerprint.Of(certificate.RawData).ToString();
        }
    }
}
