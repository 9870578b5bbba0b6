using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace VoiceGrains.Tests.Fakes.Voices;

/// <summary>
/// Google's <c>text:synthesize</c> (https://cloud.google.com/text-to-speech/docs/reference/rest/v1/text/synthesize). Its key is a service account's, whose
/// self-signed tokens it verifies; <see cref="ApiKey"/> is taken as well.
/// </summary>
internal sealed class FakeGoogle : FakeHttpVoiceServer
{
    public const string ApiKey = "AIza-api-key-0123456789";
    private static readonly RSA Account = RSA.Create(2048);

    public static async Task<FakeGoogle> StartNewAsync()
    {
        var server = new FakeGoogle();
        server.Key = ServiceAccount(Account);
        await server.StartAsync();
        return server;
    }

    /// <summary>A service account's key of this project, with another private key.</summary>
    public static string ServiceAccount(RSA key) => new JsonObject
    {
        ["type"] = "service_account", ["project_id"] = "p", ["private_key_id"] = "key-1", ["private_key"] = key.ExportPkcs8PrivateKeyPem(), ["client_email"] = "speaker@p.iam.gserviceaccount.com",
    }.ToJsonString();

    protected override (int Status, string Body) QuotaError => (429, Error(429, "Quota exceeded for quota metric 'All requests' and limit 'All requests per minute' of service 'texttospeech.googleapis.com'.", "RESOURCE_EXHAUSTED"));

    protected override (int Status, string Body)? Refuse(HttpRequest request)
    {
        Expect(request.Path == "/v1/text:synthesize" && request.Method == "POST", $"{request.Method} {request.Path}");
        if (request.Headers["X-Goog-Api-Key"] == ApiKey || IsSigned(request.Headers.Authorization.ToString())) return null;
        return request.Headers.Authorization.Count > 0
            ? (401, Error(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED"))
            : (400, Error(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT"));
    }

    protected override (int Status, string Body)? MistakeIn(JsonObject body)
    {
        var (voice, audio) = (body["voice"]!, body["audioConfig"]!);
        Expect((string?)audio["audioEncoding"] == "LINEAR16", $"encoding {audio["audioEncoding"]}");
        var name = (string)voice["name"]!;
        return name.StartsWith("missing", StringComparison.Ordinal) ? (400, Error(400, $"Voice '{name}' does not exist. Is it misspelled?", "INVALID_ARGUMENT")) : null;
    }

    protected override (string Text, int SampleRateHz) Wanted(JsonObject body) => ((string)body["input"]!["text"]!, (int)body["audioConfig"]!["sampleRateHertz"]!);

    protected override IEnumerable<string> Parts(FakeSpeech speech)
    {
        var answer = $"{{\n  \"audioContent\": \"{Wav(speech.Pcm, speech.SampleRateHz)}\"\n}}\n";
        return [answer[..(answer.Length / 3)], answer[(answer.Length / 3)..]];
    }

    private bool IsSigned(string authorization)
    {
        if (authorization.Split(' ') is not ["Bearer", var token] || token.Split('.') is not [var header, var claims, var signature]) return false;
        var said = JsonNode.Parse(Base64Url.DecodeFromChars(claims))!;
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        Expect((string?)said["aud"] == "https://texttospeech.googleapis.com/", $"audience {said["aud"]}");
        Expect((string?)said["iss"] == (string?)said["sub"] && (long)said["iat"]! <= now + 1 && (long)said["exp"]! - (long)said["iat"]! <= 3600, $"claims {said}");
        return (long)said["exp"]! > now && (string?)JsonNode.Parse(Base64Url.DecodeFromChars(header))!["kid"] == "key-1"
            && Account.VerifyData(Encoding.ASCII.GetBytes($"{header}.{claims}"), Base64Url.DecodeFromChars(signature), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    private static string Error(int code, string message, string status)
        => new JsonObject { ["error"] = new JsonObject { ["code"] = code, ["message"] = message, ["status"] = status } }.ToJsonString();
}
