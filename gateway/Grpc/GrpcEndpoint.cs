using System.Collections.Frozen;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.Gateway.Limits;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Gateway.Grpc;

/// <summary>
/// Takes gRPC requests before the REST pipeline, whose answers a gRPC client could not read: the same keys and limits, then the method, under the
/// client's deadline. However a call goes, it ends with a status.
/// </summary>
internal sealed partial class GrpcEndpoint(
    IEnumerable<IGrpcService> services, ApiKeyVerifier keys, IOptions<RateLimiterOptions> limits, LimitRefusals refusals, IOptions<GrpcOptions> options,
    IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<GrpcEndpoint> logger)
{
    private const string KeyHeader = "x-api-key", TimeoutHeader = "grpc-timeout", ContentType = ApiRequests.GrpcContentType;

    private readonly FrozenDictionary<string, GrpcMethod> _methods = services.SelectMany(s => s.Methods).ToFrozenDictionary(m => m.Path, StringComparer.Ordinal);

    public async Task HandleAsync(HttpContext http)
    {
        if (!IsServed(http)) return;
        // The limit is that of one message; the server's own counts the whole body.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        var exchange = new GrpcExchange(http, options.Value);
        using var deadline = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping, deadline.Token);
        GrpcFailure? failure = null;
        try
        {
            StartDeadline(http, deadline);
            await InvokeAsync(exchange, ending.Token);
        }
        catch (Exception exception)
        {
            failure = Explain(http, exception, deadline);
        }
        if (http.RequestAborted.IsCancellationRequested) return;        // nobody is there to be told
        if (exchange.IsStuck) exchange.Reset();
        else exchange.End(failure);
    }

    /// <summary>What is no gRPC at all is answered in HTTP, as the protocol asks.</summary>
    private static bool IsServed(HttpContext http)
    {
        var type = http.Request.ContentType!;
        var isProtobuf = type.Length == ContentType.Length || type[ContentType.Length] is ';' or ' ' || type.StartsWith(ContentType + "+proto", StringComparison.OrdinalIgnoreCase);
        http.Response.StatusCode =
            !HttpMethods.IsPost(http.Request.Method) ? StatusCodes.Status405MethodNotAllowed
            : !HttpProtocol.IsHttp2(http.Request.Protocol) ? StatusCodes.Status426UpgradeRequired
            : !isProtobuf ? StatusCodes.Status415UnsupportedMediaType
            : StatusCodes.Status200OK;
        return http.Response.StatusCode == StatusCodes.Status200OK;
    }

    private static void StartDeadline(HttpContext http, CancellationTokenSource deadline)
    {
        if (!http.Request.Headers.TryGetValue(TimeoutHeader, out var header)) return;
        if (!GrpcTimeout.TryParse(header.ToString(), out var timeout)) throw new GrpcException(GrpcStatusCode.Internal, "The grpc-timeout is malformed.");
        if (timeout == TimeSpan.Zero) deadline.Cancel();
        else deadline.CancelAfter(timeout);
    }

    private async Task InvokeAsync(GrpcExchange exchange, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var http = exchange.Http;
        var caller = await FindCallerAsync(http, cancellationToken);
        if (caller is not null) http.Features.Set(caller);
        using var lease = await TakeLeaseAsync(http, cancellationToken);
        if (caller is null) throw new PlatformException(HttpErrors.NotAuthenticated, "The metadata has no valid x-api-key.");
        if (!_methods.TryGetValue(http.Request.Path.Value ?? "", out var method))
            throw new GrpcException(GrpcStatusCode.Unimplemented, $"There is no method {http.Request.Path.Value}.");
        await method.InvokeAsync(exchange, caller, cancellationToken);
    }

    private async Task<Caller?> FindCallerAsync(HttpContext http, CancellationToken cancellationToken)
    {
        var given = http.Request.Headers[KeyHeader];
        return given.Count == 1 ? await keys.VerifyAsync(given[0] ?? "", http.Connection.RemoteIpAddress, cancellationToken) : null;
    }

    /// <summary>Requests of both APIs count together.</summary>
    private async Task<RateLimitLease?> TakeLeaseAsync(HttpContext http, CancellationToken cancellationToken)
    {
        if (limits.Value.GlobalLimiter is not { } limiter) return null;
        var lease = await limiter.AcquireAsync(http, 1, cancellationToken);
        if (lease.IsAcquired) return lease;
        using (lease)
        {
            refusals.Count(http, lease);
            throw new PlatformException(HttpErrors.RateLimited, RequestLimits.Refusal) { RetryAfter = RequestLimits.WaitOf(lease) };
        }
    }

    private GrpcFailure Explain(HttpContext http, Exception exception, CancellationTokenSource deadline)
    {
        if (deadline.IsCancellationRequested) return GrpcFailure.DeadlineExceeded;
        if (http.RequestAborted.IsCancellationRequested) return GrpcFailure.Cancelled;
        if (exception is OperationCanceledException && lifetime.ApplicationStopping.IsCancellationRequested) return GrpcFailure.Stopping;
        if (GrpcFailure.From(exception) is { } known) return known;
        if (exception is BadHttpRequestException or IOException) return GrpcFailure.Cancelled;     // the request's body broke off
        LogUnexpected(http.Request.Path.Value, exception);
        return GrpcFailure.Unexpected;
    }

    [LoggerMessage(2101, LogLevel.Error, "gRPC {Method} failed unexpectedly")]
    private partial void LogUnexpected(string? method, Exception exception);
}
