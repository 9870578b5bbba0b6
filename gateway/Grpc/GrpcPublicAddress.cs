using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Limits;
using VoiceGrains.Gateway.Paging;

namespace VoiceGrains.Gateway.Grpc;

/// <summary>Where the clients of gRPC reach what is not gRPC, such as join URLs.</summary>
internal sealed class GrpcPublicAddress(IServer server, IOptions<GrpcOptions> grpc, IOptions<GatewayOptions> gateway)
{
    /// <summary>As for REST; but a request that came to gRPC's own port is told the other one.</summary>
    public string BaseOf(HttpRequest request)
    {
        if (gateway.Value.PublicUrl is not null || grpc.Value.Port is null) return PageResponse.PublicBase(request);
        var main = BindingAddress.Parse(server.Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return request.HttpContext.Connection.LocalPort == main.Port ? PageResponse.PublicBase(request) : $"{main.Scheme}://{new HostString(request.Host.Host, main.Port)}";
    }
}
