using System.Diagnostics;
using System.Text;
using VoiceGrains.Grains.Signing;

namespace VoiceGrains.Grains.Tests.Signing;

/// <summary>What a receiver verifies: by the routine that is documented for receivers, and by hand.</summary>
public sealed class WebhookSignatureTests
{
    /// <summary>The documented routine as it is; around it only where the request and the secret come from, and the time zone of a server.</summary>
    private const string Documented = """
        import os, sys, time, types
        os.environ["TZ"] = "UTC"
        time.tzset()
        WEBHOOK_SECRET = sys.argv[1]
        request = types.SimpleNamespace(
            headers={"X-Ultravox-Webhook-Timestamp": sys.argv[2], "X-Ultravox-Webhook-Signature": sys.argv[3]}, content=sys.stdin.buffer.read())

        import datetime
        import hmac

        request_timestamp = request.headers["X-Ultravox-Webhook-Timestamp"]
        if datetime.datetime.now() - datetime.datetime.fromisoformat(request_timestamp) > datetime.timedelta(minutes=1):
          raise RuntimeError("Expired message")
        expected_signature = hmac.new(WEBHOOK_SECRET.encode(), request.content + request_timestamp.encode(), "sha256").hexdigest()
        for signature in request.headers["X-Ultravox-Webhook-Signature"].split(","):
          if hmac.compare_digest(signature, expected_signature):
            break # Valid signature
        else:
          raise RuntimeError("Message or timestamp was tampered with")
        print("valid")
        """;

    private static readonly byte[] Body = Encoding.UTF8.GetBytes("""{"event":"call.ended","call":{"shortSummary":"Ein Gespräch über Käse 🧀"}}""");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The expected value is of Python: <c>hmac.new(b"key", b"body2030-01-01T12:00:00.000000", "sha256").hexdigest()</c>.</summary>
    [Fact]
    public void ASignature_IsTheHmacOfBodyAndTimestamp()
    {
        var timestamp = WebhookSignature.Timestamp(new DateTimeOffset(2030, 1, 1, 13, 0, 0, TimeSpan.FromHours(1)));
        Assert.Equal("2030-01-01T12:00:00.000000", timestamp);
        Assert.Equal("e17b77e37339a5753a87c6e0d03b10eec045079b553fecb558aeefa540366d76", WebhookSignature.Sign("body"u8, timestamp, ["key"]));
        Assert.Null(WebhookSignature.Sign("body"u8, timestamp, []));
    }

    [Fact]
    public async Task TheDocumentedRoutine_TakesEachSecretOfSeveral_AndNothingElse()
    {
        var now = WebhookSignature.Timestamp(DateTimeOffset.UtcNow);
        var signatures = WebhookSignature.Sign(Body, now, ["old s3cret", "neu ß"])!;
        Assert.Equal(2, signatures.Split(',').Length);
        Assert.Equal("valid", await VerifyAsync("old s3cret", now, signatures, Body));
        Assert.Equal("valid", await VerifyAsync("neu ß", now, signatures, Body));
        Assert.Contains("tampered", await VerifyAsync("another", now, signatures, Body), StringComparison.Ordinal);
        Assert.Contains("tampered", await VerifyAsync("neu ß", now, signatures, [.. Body, (byte)' ']), StringComparison.Ordinal);
        var old = WebhookSignature.Timestamp(DateTimeOffset.UtcNow.AddMinutes(-2));
        Assert.Contains("Expired", await VerifyAsync("key", old, WebhookSignature.Sign(Body, old, ["key"])!, Body), StringComparison.Ordinal);
    }

    private static async Task<string> VerifyAsync(string secret, string timestamp, string signatures, byte[] body)
    {
        var python = FindPython();
        Assert.SkipUnless(python is not null, "python3 is not installed.");
        var start = new ProcessStartInfo(python!) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["-X", "utf8", "-c", Documented, secret, timestamp, signatures]) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
        await process.StandardInput.BaseStream.WriteAsync(body, Cancel);
        process.StandardInput.Close();
        await process.WaitForExitAsync(Cancel);
        return process.ExitCode == 0 ? (await output).Trim() : await errors;
    }

    private static string? FindPython()
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "python3")).FirstOrDefault(File.Exists);
}
