using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace VoiceGrains.WebRtc.Tests.Peer;

/// <summary>
/// A browser with <c>peer.html</c>, whose functions a test calls by name. The page comes from a server in this process and talks to it over a WebSocket, so no
/// driver is needed. It is Debian's Chromium, or the Firefox that VOICEGRAINS_TEST_BROWSER names. The microphone is the browser's own fake, which beeps or hums.
/// </summary>
public sealed class BrowserPage : IAsyncLifetime
{
    private static readonly string Program = Environment.GetEnvironmentVariable("VOICEGRAINS_TEST_BROWSER") ?? "/usr/bin/chromium";
    private const string FirefoxPreferences = """
        user_pref("media.navigator.streams.fake", true);
        user_pref("media.navigator.permission.disabled", true);
        user_pref("media.autoplay.default", 0);
        user_pref("datareporting.policy.dataSubmissionEnabled", false);
        """;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> _calls = new();
    private readonly TaskCompletionSource<WebSocket> _page = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _sending = new(1);
    private readonly ConcurrentQueue<string> _output = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("vg-browser-").FullName;
    private WebApplication? _server;
    private Process? _browser;
    private int _lastCall;

    public static bool IsFirefox => Path.GetFileName(Program).StartsWith("firefox", StringComparison.Ordinal);

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Program))
            return;
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        _server = builder.Build();
        _server.UseWebSockets();
        _server.MapGet("/", () => Results.File(Path.Combine(AppContext.BaseDirectory, "Peer", "peer.html"), "text/html"));
        _server.Map("/page", ServePageAsync);
        await _server.StartAsync(TestContext.Current.CancellationToken);

        AppDomain.CurrentDomain.ProcessExit += (_, _) => Kill();
        for (var attempt = 1; ; attempt++)
        {
            StartBrowser();
            try
            {
                await _page.Task.WaitAsync(StartLimit, TestContext.Current.CancellationToken);
                return;
            }
            catch (TimeoutException) when (attempt < 2)
            {
                Kill();     // a browser sometimes hangs while it starts
            }
            catch (TimeoutException)
            {
                throw new InvalidOperationException($"The browser did not open the page:\n{string.Join('\n', _output)}");
            }
        }
    }

    /// <summary>Calls a function of the page.</summary>
    /// <exception cref="InvalidOperationException">It threw.</exception>
    public async Task<JsonElement> CallAsync(string name, params object[] args)
    {
        Assert.SkipUnless(File.Exists(Program), $"{Program} is not installed: it is in the Debian package chromium.");
        var id = Interlocked.Increment(ref _lastCall);
        var reply = _calls[id] = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        var socket = await _page.Task;
        await _sending.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            var message = JsonSerializer.SerializeToUtf8Bytes(new { id, name, args });
            await socket.SendAsync(message, WebSocketMessageType.Text, true, TestContext.Current.CancellationToken);
        }
        finally
        {
            _sending.Release();
        }
        return await reply.Task.WaitAsync(CallLimit, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        if (_server is not null)
            await _server.DisposeAsync();
        _sending.Dispose();
        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (IOException)
        {
            // a process of the browser's may still be writing while it ends
        }
    }

    private void StartBrowser()
    {
        var profile = Directory.CreateDirectory(Path.Combine(_folder, Guid.NewGuid().ToString("N"))).FullName;
        if (IsFirefox)
            File.WriteAllText(Path.Combine(profile, "user.js"), FirefoxPreferences);
        _browser = new Process
        {
            StartInfo = new ProcessStartInfo(Program, [.. IsFirefox ? ["--headless", "--no-remote", "--profile", profile] : ChromiumArguments(profile), _server!.Urls.Single()])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["HOME"] = profile },
            },
        };
        _browser.ErrorDataReceived += (_, line) => _output.Enqueue(line.Data ?? "");
        _browser.Start();
        _browser.BeginOutputReadLine();
        _browser.BeginErrorReadLine();
    }

    private static string[] ChromiumArguments(string profile) =>
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--disable-dev-shm-usage", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        "--autoplay-policy=no-user-gesture-required", "--allow-loopback-in-peer-connection", $"--user-data-dir={profile}",
    ];

    private async Task ServePageAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        _page.TrySetResult(socket);
        var buffer = new byte[1 << 20];
        var length = 0;
        try
        {
            while (await socket.ReceiveAsync(buffer.AsMemory(length), context.RequestAborted) is { MessageType: WebSocketMessageType.Text } part)
            {
                length += part.Count;
                if (!part.EndOfMessage)
                    continue;
                Complete(buffer.AsSpan(0, length));
                length = 0;
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
        {
            // the browser is gone
        }
        foreach (var call in _calls.Values)
            call.TrySetException(new InvalidOperationException("The page is gone."));
    }

    private void Complete(ReadOnlySpan<byte> json)
    {
        var reply = JsonSerializer.Deserialize<JsonElement>(json);
        if (!_calls.TryRemove(reply.GetProperty("id").GetInt32(), out var call))
            return;
        if (reply.TryGetProperty("error", out var error))
            call.TrySetException(new InvalidOperationException(error.GetString()));
        else
            call.TrySetResult(reply.GetProperty("result"));
    }

    private void Kill()
    {
        try
        {
            _browser?.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // ended already
        }
    }
}
