using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace VoiceGrains.Providers.Synthesis.Google;

/// <summary>
/// Bearer tokens that a service account's key signs itself, without a token server in between
/// (https://developers.google.com/identity/protocols/oauth2/service-account#jwt-auth, RFC 7519).
/// </summary>
internal sealed class GoogleToken(string keyJson, string audience, TimeProvider clock)
{
    /// <summary>As long as Google accepts.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan RenewedBefore = TimeSpan.FromMinutes(5);
    private readonly Lock _gate = new();
    private string? _token;
    private DateTimeOffset _expires;

    /// <exception cref="ProviderException">The key is no service account's.</exception>
    public string Get()
    {
        lock (_gate)
        {
            var now = clock.GetUtcNow();
            if (_token is not null && now < _expires - RenewedBefore) return _token;
            (_token, _expires) = (Sign(now), now + Lifetime);
            return _token;
        }
    }

    private string Sign(DateTimeOffset now)
    {
        try
        {
            using var key = JsonDocument.Parse(keyJson);
            var account = key.RootElement.GetProperty("client_email").GetString();
            using var rsa = RSA.Create();
            rsa.ImportFromPem(key.RootElement.GetProperty("private_key").GetString());
            var header = Part(new { alg = "RS256", typ = "JWT", kid = key.RootElement.TryGetProperty("private_key_id", out var id) ? id.GetString() : null });
            var claims = Part(new { iss = account, sub = account, aud = audience, iat = now.ToUnixTimeSeconds(), exp = (now + Lifetime).ToUnixTimeSeconds() });
            var signed = $"{header}.{claims}";
            return $"{signed}.{Base64Url.EncodeToString(rsa.SignData(System.Text.Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException or CryptographicException)
        {
            // The cause stays out: it may quote the key.
            throw new ProviderException(GoogleSynthesizer.ProviderName, ProviderFault.Rejected, "The account's Google key is no usable service account key.");
        }
    }

    private static string Part<T>(T value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
}
