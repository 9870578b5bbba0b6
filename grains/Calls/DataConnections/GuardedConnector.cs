using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using Microsoft.Extensions.Options;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Grains.Calls.DataConnections;

/// <summary>Opens WebSockets to where the <see cref="OutboundGuard"/> lets customers' URLs lead. Certificates are checked, redirects and proxies are not used.</summary>
internal sealed class GuardedConnector(OutboundGuard guard, IOptions<DataConnectionOptions> options) : IDataConnector, IDisposable
{
    // A server that went away without a word is noticed by a ping that nobody answers.
    private static readonly TimeSpan PingPeriod = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(15);

    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler
    {
        ConnectCallback = guard.ConnectAsync,
        ConnectTimeout = options.Value.ConnectTimeout,
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        MaxResponseHeadersLength = 16,      // KB
    });

    public async Task<WebSocket> ConnectAsync(DataConnectionConfig config, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        try
        {
            var url = new Uri(config.WebsocketUrl!, UriKind.Absolute);
            guard.Check(url);
            socket.Options.CollectHttpResponseDetails = true;
            (socket.Options.KeepAliveInterval, socket.Options.KeepAliveTimeout) = (PingPeriod, PingTimeout);
            foreach (var (name, value) in config.Headers ?? new Dictionary<string, string>()) socket.Options.SetRequestHeader(name, value);
            await socket.ConnectAsync(url, _http, cancellationToken);
            return socket;
        }
        catch (Exception exception)
        {
            var status = socket.HttpStatusCode;
            socket.Dispose();
            if (exception is OperationCanceledException && cancellationToken.IsCancellationRequested) throw;
            throw Explain(exception, status);
        }
    }

    public void Dispose() => _http.Dispose();

    private static DataConnectionException Explain(Exception exception, HttpStatusCode status)
    {
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case OutboundBlockedException blocked: return new(blocked.Message, isFinal: true, exception);
                case AuthenticationException: return new("Its certificate was not accepted.", isFinal: false, exception);
                case SocketException socket: return new($"It could not be reached: {socket.SocketErrorCode}.", isFinal: false, exception);
                case FormatException or ArgumentException: return new("One of its headers is not valid.", isFinal: true, exception);
            }
        }
        if (status is not (0 or HttpStatusCode.SwitchingProtocols)) return new($"It answered with status {(int)status}.", isFinal: false, exception);
        return new("It does not speak WebSocket, or went away.", isFinal: false, exception);
    }
}
