using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;

namespace VoiceGrains.Server.Tests.Grpc;

/// <summary>A program of the other side: <c>client/main.mjs</c> with @grpc/grpc-js in Node. It is told what to do by its arguments and lines, and answers in lines of JSON.</summary>
internal sealed class NodeClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly Channel<string> lines = Channel.CreateUnbounded<string>();
    private readonly Task<string> errors;

    private NodeClient(Process process)
    {
        this.process = process;
        errors = process.StandardError.ReadToEndAsync();
        _ = ReadAsync();
    }

    /// <summary>Skips the test where Node or its packages are missing; <c>./test</c> installs both.</summary>
    public static NodeClient Start(string scenario, Uri address, string key, object? arguments = null)
    {
        var folder = Folder();
        Assert.SkipUnless(Directory.Exists(Path.Combine(folder, "node_modules")), "The packages of the Node client are not installed: run ./test, or npm ci in tests/Server.Tests/Grpc/client.");
        var start = new ProcessStartInfo("node") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[Path.Combine(folder, "main.mjs"), scenario, address.Authority, key, JsonSerializer.Serialize(arguments ?? new { })])
            start.ArgumentList.Add(argument);
        return new NodeClient(Process.Start(start)!);
    }

    /// <summary>The one answer of a scenario.</summary>
    public static async Task<JsonElement> RunAsync(string scenario, Uri address, string key, object? arguments = null)
    {
        await using var client = Start(scenario, address, key, arguments);
        return await client.NextAsync();
    }

    public async Task<JsonElement> NextAsync()
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        if (!await lines.Reader.WaitToReadAsync(patience.Token) || !lines.Reader.TryRead(out var line))
            throw new InvalidOperationException($"The client ended without an answer: {await errors}");
        return JsonDocument.Parse(line).RootElement;
    }

    /// <summary>Everything until the client ends.</summary>
    public async Task<List<JsonElement>> RestAsync()
    {
        var rest = new List<JsonElement>();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        await foreach (var line in lines.Reader.ReadAllAsync(patience.Token)) rest.Add(JsonDocument.Parse(line).RootElement);
        return rest;
    }

    public Task TellAsync(string line) => process.StandardInput.WriteLineAsync(line);

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync(CancellationToken.None);
        process.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await process.StandardOutput.ReadLineAsync() is { } line) lines.Writer.TryWrite(line);
        }
        finally
        {
            lines.Writer.Complete();
        }
    }

    /// <summary>In the source tree: the tests run where they were built.</summary>
    private static string Folder([CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, "client");
}
