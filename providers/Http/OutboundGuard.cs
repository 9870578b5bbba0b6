using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace VoiceGrains.Providers.Http;

/// <summary>
/// Keeps URLs that tenants give (tools, webhooks, voices, data connections, crawls) away from the inside: public addresses only, unless the operator
/// allows a network. The name is resolved once and the connection goes to the very address that was checked, so a name that changes its mind between
/// check and use gains nothing. Use it as <see cref="SocketsHttpHandler.ConnectCallback"/>: it then also sees each redirect's host.
/// </summary>
public sealed class OutboundGuard
{
    private const int MostAddressesTried = 4;

    private readonly IPNetwork[] _allowed;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;

    public OutboundGuard(IOptions<OutboundOptions> options) : this(options.Value, Dns.GetHostAddressesAsync)
    {
    }

    internal OutboundGuard(OutboundOptions options, Func<string, CancellationToken, Task<IPAddress[]>> resolve)
        => (_allowed, _resolve) = ([.. options.AllowedNetworks.Select(IPNetwork.Parse)], resolve);

    /// <summary>Checks what a URL itself tells: scheme, credentials, and the address where the host is one. For validation before anything is stored.</summary>
    /// <exception cref="OutboundBlockedException">It may not be used.</exception>
    public void Check(Uri url)
    {
        if (!url.IsAbsoluteUri || url.Scheme is not ("http" or "https" or "ws" or "wss"))
            throw new OutboundBlockedException($"URL scheme '{(url.IsAbsoluteUri ? url.Scheme : "")}' is not allowed: use http, https, ws or wss.");
        if (url.UserInfo.Length > 0) throw new OutboundBlockedException("Credentials in a URL are not allowed: send them in a header.");
        if (url.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6) Check(url.Host, IPAddress.Parse(url.DnsSafeHost));
    }

    /// <summary>Opens a connection to the first checked address that answers.</summary>
    /// <exception cref="OutboundBlockedException">Any address of the host is not allowed.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (context.InitialRequestMessage.RequestUri is { } url) Check(url);
        return await ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="ConnectAsync(SocketsHttpConnectionContext, CancellationToken)"/>
    public async Task<Stream> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        var addresses = await ResolveAsync(host, cancellationToken).ConfigureAwait(false);
        Exception? last = null;
        foreach (var address in addresses.Take(MostAddressesTried))
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, port), cancellationToken).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception exception)
            {
                socket.Dispose();
                if (exception is not SocketException) throw;
                last = exception;
            }
        }
        throw last ?? new SocketException((int)SocketError.HostNotFound);
    }

    /// <summary>Resolves a host once and checks every address it has: one inside address among public ones is an attack, not a fallback.</summary>
    /// <exception cref="OutboundBlockedException">Any of them is not allowed.</exception>
    public async Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        var addresses = IPAddress.TryParse(host.Trim('[', ']'), out var literal) ? [literal] : await _resolve(host, cancellationToken).ConfigureAwait(false);
        foreach (var address in addresses)
            Check(host, address);
        return addresses;
    }

    private void Check(string host, IPAddress address)
    {
        if (AddressRules.WhyNotPublic(address) is not { } kind) return;
        var inner = AddressRules.Unwrap(address);
        foreach (var network in _allowed)
        {
            if (network.Contains(address) || network.Contains(inner)) return;
        }
        // The address stays out of the message: it would tell a tenant about the inside network's names.
        throw new OutboundBlockedException($"Host '{host}' leads to {kind}: only public addresses and those of the setting Outbound:AllowedNetworks are allowed.");
    }
}
