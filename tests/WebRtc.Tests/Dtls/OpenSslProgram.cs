using System.Diagnostics;
using System.Text;

namespace VoiceGrains.WebRtc.Tests.Dtls;

/// <summary>The openssl command, as s_client or s_server: someone else's DTLS to talk to.</summary>
internal sealed class OpenSslProgram : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly SemaphoreSlim _news = new(0);

    /// <param name="arguments">Separated by blanks.</param>
    /// <param name="configuration">An openssl.cnf to use, or null for the machine's.</param>
    public OpenSslProgram(string arguments, string? configuration = null)
    {
        var start = new ProcessStartInfo("openssl", arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        if (configuration is not null)
            start.Environment["OPENSSL_CONF"] = configuration;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.ErrorDataReceived += (_, line) => Add(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>Waits for a text and returns the rest of its line.</summary>
    public async Task<string> WaitForAsync(string text)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (true)
        {
            var output = Output;
            var at = output.IndexOf(text, StringComparison.Ordinal);
            if (at >= 0 && output.IndexOf('\n', at) is var end and >= 0)
                return output[(at + text.Length)..end].Trim();
            try
            {
                await _news.WaitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"openssl never said '{text}', but:\n{output}");
            }
        }
    }

    public async Task TypeAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>The end of its input makes s_client leave politely.</summary>
    public void CloseInput() => _process.StandardInput.Close();

    public void Dispose()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has left already.
        }
        _process.WaitForExit();
        _process.Dispose();
    }

    private void Add(string? line)
    {
        if (line is null)
            return;
        lock (_output)
            _output.Append(line).Append('\n');
        _news.Release();
    }
}
