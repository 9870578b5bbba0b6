using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using VoiceGrains.Media;

namespace VoiceGrains.Server.Tests.Browsers;

/// <summary>Scenarios of <c>tests/Browser</c> in one Chromium, whose microphone is a recording.</summary>
internal sealed class BrowserRun : IAsyncDisposable
{
    public const string Chromium = "/usr/bin/chromium";

    /// <summary>Of recordings that are a microphone.</summary>
    public const int RateHz = 48_000;

    private readonly Dictionary<string, TaskCompletionSource<JsonElement>> _results = new(StringComparer.Ordinal);
    private readonly Process _node;
    private readonly Task _running;
    private Exception? _ended;

    private BrowserRun(Process node) => (_node, _running) = (node, ReadAsync(node));

    /// <summary>Why nothing can be run; null where it can.</summary>
    public static string? Missing
        => !File.Exists(Chromium) ? "Chromium is not installed." : !Directory.Exists(Path.Combine(Folder, "node_modules")) ? "The packages of tests/Browser are not installed: run ./test, or npm ci there."
            : !File.Exists("/usr/share/pocketsphinx/test/data/goforward.raw") ? "The Debian package pocketsphinx-testdata is not installed." : null;

    private static string Folder { get; } = FindFolder();

    /// <param name="settings">As <c>main.mjs</c> reads them.</param>
    public static BrowserRun Start(object settings)
    {
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Folder };
        start.ArgumentList.Add("main.mjs");
        start.ArgumentList.Add(JsonSerializer.Serialize(settings));
        return new BrowserRun(Process.Start(start)!);
    }

    /// <summary>What a scenario found out. Fails as it did.</summary>
    public async Task<JsonElement> ResultAsync(string scenario)
    {
        var result = await Of(scenario).Task.WaitAsync(TestContext.Current.CancellationToken);
        if (result.TryGetProperty("error", out var error)) Assert.Fail($"{error.GetString()}\n{result.GetProperty("complaints")}");
        return result;
    }

    /// <summary>Writes what <see cref="Chromium"/> takes for a microphone.</summary>
    public static string WriteMicrophone(string folder, ReadOnlySpan<short> pcm)
    {
        var file = new byte[PcmWavHeader.Length + 2 * pcm.Length];
        PcmWavHeader.Write(file, 2 * pcm.Length, RateHz, 1);
        MemoryMarshal.AsBytes(pcm).CopyTo(file.AsSpan(PcmWavHeader.Length));
        var path = Path.Combine(folder, "microphone.wav");
        File.WriteAllBytes(path, file);
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_node.HasExited) _node.Kill(entireProcessTree: true);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _node.Dispose();
    }

    private async Task ReadAsync(Process node)
    {
        var errors = node.StandardError.ReadToEndAsync();
        while (await node.StandardOutput.ReadLineAsync() is { } line)
        {
            var result = JsonDocument.Parse(line).RootElement;
            Of(result.GetProperty("scenario").GetString()!).TrySetResult(result);
        }
        var failure = new InvalidOperationException($"The browser ended without an answer: {await errors}");
        lock (_results)
        {
            _ended = failure;
            foreach (var result in _results.Values) result.TrySetException(failure);
        }
    }

    private TaskCompletionSource<JsonElement> Of(string scenario)
    {
        lock (_results)
        {
            if (_results.TryGetValue(scenario, out var known)) return known;
            var result = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_ended is not null) result.SetException(_ended);
            return _results[scenario] = result;
        }
    }

    private static string FindFolder([CallerFilePath] string source = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "../../Browser"));
}
