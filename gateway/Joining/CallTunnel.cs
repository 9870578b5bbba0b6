using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Gateway.Joining;

/// <summary>
/// Takes a client that came to the wrong process to the silo of its call. The WebSocket's own bytes are passed on unread, so frames, pings, compression
/// and close codes arrive as they were sent; an answer other than an upgrade, such as a refusal, is passed on with its body. A side that does not read
/// stops the other from being read: nothing is gathered between them but one buffer each way.
/// </summary>
public sealed class CallTunnel : IDisposable
{
    /// <summary>Marks a request that was passed on: it is not passed on again.</summary>
    public const string HopHeader = "X-VoiceGrains-Hop";

    private const int BufferBytes = 16 * 1024;
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(15);

    /// <summary>How long the second direction may go on when the first has ended: a close handshake's worth.</summary>
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private readonly HttpMessageInvoker http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = ConnectLimit,
        ConnectCallback = ConnectAsync,
        UseCookies = false,
        UseProxy = false,
    });

    /// <summary>Passes the request on, with its path and query, and returns when the connection has ended.</summary>
    /// <exception cref="PlatformException">The silo has no address, or does not answer.</exception>
    public async Task PassOnAsync(HttpContext context, CallLocation location)
    {
        if (context.Request.Headers.ContainsKey(HopHeader))
            throw new PlatformException(ErrorCode.SiloUnavailable, "The call is moving to another server.") { RetryAfter = Retry };
        if (location.Address is not { } address)
            throw new PlatformException(ErrorCode.SiloUnavailable, "The server of the call has no address that others can reach.") { RetryAfter = Retry };

        using var request = Request(context, address);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        late.CancelAfter(AnswerLimit);
        HttpResponseMessage answer;
        try
        {
            answer = await http.SendAsync(request, late.Token);
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException && !context.RequestAborted.IsCancellationRequested)
        {
            throw new PlatformException(ErrorCode.SiloUnavailable, "The server of the call does not answer.") { RetryAfter = Retry };
        }
        using (answer)
        {
            CopyHeaders(answer, context.Response);
            if (answer.StatusCode == HttpStatusCode.SwitchingProtocols)
            {
                await using var silo = await answer.Content.ReadAsStreamAsync(context.RequestAborted);
                await using var client = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
                await ConnectAsync(client, silo, context);
                return;
            }
            context.Response.StatusCode = (int)answer.StatusCode;
            await answer.Content.CopyToAsync(context.Response.Body, late.Token);
        }
    }

    public void Dispose() => http.Dispose();

    private static HttpRequestMessage Request(HttpContext context, string address)
    {
        var source = context.Request;
        var method = HttpMethods.IsHead(source.Method) ? HttpMethod.Head : HttpMethod.Get;
        var request = new HttpRequestMessage(method, new Uri($"{address.TrimEnd('/')}{source.Path.ToUriComponent()}{source.QueryString.ToUriComponent()}"))
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        foreach (var (name, values) in source.Headers)
        {
            if (name.StartsWith("Sec-WebSocket-", StringComparison.OrdinalIgnoreCase) || name is "Origin" or "User-Agent" or "Authorization" or "traceparent" or "tracestate")
                request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }
        if (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true })
        {
            request.Headers.Connection.Add("Upgrade");
            request.Headers.Upgrade.ParseAdd(source.Headers.Upgrade.ToString());
        }
        request.Headers.Add(HopHeader, "1");
        request.Headers.TryAddWithoutValidation(MediaAddress.OriginHeader, MediaAddress.Of(source, null));
        return request;
    }

    private static void CopyHeaders(HttpResponseMessage answer, HttpResponse response)
    {
        foreach (var (name, values) in answer.Headers.NonValidated.Concat(answer.Content.Headers.NonValidated))
        {
            if (name.StartsWith("Sec-WebSocket-", StringComparison.OrdinalIgnoreCase) || name is "Upgrade" or "Connection" or "Retry-After" or "Content-Type")
                response.Headers[name] = values.ToArray();
        }
    }

    private static async Task ConnectAsync(Stream client, Stream silo, HttpContext context)
    {
        using var over = new CancellationTokenSource();
        using var aborted = context.RequestAborted.Register(over.Cancel);
        var up = CopyAsync(client, silo, over.Token);
        var down = CopyAsync(silo, client, over.Token);
        await Task.WhenAny(up, down);
        over.CancelAfter(CloseLimit);
        await Task.WhenAll(up, down);
        context.Abort();        // what is left is a connection that one side has given up
    }

    /// <summary>Ends without an error however the connection does.</summary>
    private static async Task CopyAsync(Stream from, Stream to, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (await from.ReadAsync(buffer, cancellationToken) is > 0 and var bytes)
            {
                await to.WriteAsync(buffer.AsMemory(0, bytes), cancellationToken);
                await to.FlushAsync(cancellationToken);
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // A connection that breaks has ended: the other side is told by the end of its own.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Keepalive, so that a silo whose machine vanishes does not leave its clients in silence.</summary>
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 5);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 2);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
