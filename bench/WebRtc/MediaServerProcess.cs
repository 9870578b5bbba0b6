using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using VoiceGrains.Cli;

namespace VoiceGrains.Bench.WebRtc;

/// <summary>The <see cref="MediaServer"/> as a process of its own, run with the silo's settings of the runtime.</summary>
internal sealed partial class MediaServerProcess : IAsyncDisposable
{
    private const int Continue = 18, Stop = 19;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Process _process;

    private MediaServerProcess(Process process) => _process = process;

    /// <summary>UDP port of the media.</summary>
    public int Port { get; private set; }

    /// <summary>UDP port where bare datagrams are sent back.</summary>
    public int EchoPort { get; private set; }

    public static async Task<MediaServerProcess> StartAsync(CancellationToken cancellationToken)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "VoiceGrains.Bench");
        string[] arguments = ["exec", "--runtimeconfig", Path.Combine(AppContext.BaseDirectory, "VoiceGrains.Silo.runtimeconfig.json"), "--depsfile", $"{program}.deps.json", $"{program}.dll", MediaServer.Name];
        var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var server = new MediaServerProcess(process);
        try
        {
            int[] ports = [.. (await server.ReadAsync(cancellationToken)).Split(' ').Select(port => int.Parse(port, CultureInfo.InvariantCulture))];
            (server.Port, server.EchoPort) = (ports[0], ports[1]);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Another call, which answers an offer.</summary>
    /// <param name="echoes">An <see cref="EchoingCall"/>, else a <see cref="ServedCall"/>.</param>
    public async Task<string> AnswerAsync(string offer, bool echoes, CancellationToken cancellationToken)
    {
        var answer = await AskAsync($"{(echoes ? "echo" : "call")} {Convert.ToBase64String(Encoding.UTF8.GetBytes(offer))}", cancellationToken);
        return Encoding.UTF8.GetString(Convert.FromBase64String(answer));
    }

    public async Task<ServerMark> MarkAsync(CancellationToken cancellationToken) => JsonSerializer.Deserialize<ServerMark>(await AskAsync("mark", cancellationToken))!;

    /// <summary>It does nothing until <see cref="Resume"/>.</summary>
    public void Halt() => Kill(_process.Id, Stop);

    public void Resume() => Kill(_process.Id, Continue);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Resume();
            _process.StandardInput.Close();
            using var limit = new CancellationTokenSource(Patience);
            await _process.WaitForExitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_process.HasExited) _process.Kill();
        }
        _process.Dispose();
    }

    private async Task<string> AskAsync(string line, CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync(line.AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
        return await ReadAsync(cancellationToken);
    }

    private async Task<string> ReadAsync(CancellationToken cancellationToken)
        => await _process.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(Patience, cancellationToken) ?? throw new CliException("The server of the benchmark ended.");

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
