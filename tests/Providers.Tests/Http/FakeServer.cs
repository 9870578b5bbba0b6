using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace VoiceGrains.Providers.Tests.Http;

/// <summary>What the server received.</summary>
internal sealed record ReceivedRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Text => System.Text.Encoding.UTF8.GetString(Body);
}

/// <summary>A real HTTP server on a loopback port that answers as the test says and remembers what it was asked.</summary>
internal sealed class FakeServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<ReceivedRequest> _requests = new();

    private FakeServer(Func<HttpContext, int, Task> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        var count = 0;
        _app.Run(async context =>
        {
            var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            _requests.Enqueue(new(context.Request.Method, context.Request.Path + context.Request.QueryString,
                context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase), body.ToArray()));
            context.Items[nameof(FakeAnswers.ReceivedText)] = System.Text.Encoding.UTF8.GetString(body.ToArray());
            try
            {
                await answer(context, Interlocked.Increment(ref count));
            }
            catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
            {
                // The client went away, as some tests want.
            }
        });
    }

    public string Url => _app.Urls.Single();

    public IReadOnlyList<ReceivedRequest> Requests => [.. _requests];

    /// <param name="answer">Gets the request's number from 1 as well.</param>
    public static async Task<FakeServer> StartAsync(Func<HttpContext, int, Task> answer)
    {
        var server = new FakeServer(answer);
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    public static Task<FakeServer> StartAsync(Func<HttpContext, Task> answer) => StartAsync((context, _) => answer(context));

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app.StopAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _app.DisposeAsync();
    }
}

internal static class FakeAnswers
{
    /// <summary>The body of the request being answered.</summary>
    public static string ReceivedText(this HttpContext context) => (string)context.Items[nameof(ReceivedText)]!;

    /// <summary>Writes bytes in pieces of a size, each in a packet of its own as far as the loopback allows.</summary>
    public static async Task WriteInPiecesAsync(this HttpResponse response, ReadOnlyMemory<byte> bytes, int size)
    {
        for (var at = 0; at < bytes.Length; at += size)
        {
            await response.Body.WriteAsync(bytes.Slice(at, Math.Min(size, bytes.Length - at)), response.HttpContext.RequestAborted);
            await response.Body.FlushAsync(response.HttpContext.RequestAborted);
        }
    }

    public static async Task FailAsync(this HttpResponse response, int status, string body, string? retryAfter = null)
    {
        response.StatusCode = status;
        response.ContentType = "application/json";
        if (retryAfter is not null) response.Headers.RetryAfter = retryAfter;
        await response.WriteAsync(body);
    }

    /// <summary>Never answers; ends when the client goes away.</summary>
    public static Task HangAsync(this HttpContext context) => Task.Delay(Timeout.Infinite, context.RequestAborted);
}
