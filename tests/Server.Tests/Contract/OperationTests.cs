using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using VoiceGrains.Gateway.Unserved;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Contract;

/// <summary>Each operation of the published description is served or said not to be.</summary>
public sealed class OperationTests(SiloFixture silo)
{
    private const string Nobody = "11111111-2222-3333-4444-555555555555";

    public static TheoryData<string, string> Unserved => new()
    {
        { "GET", "/api/corpora" }, { "PUT", $"/api/corpora/{Nobody}/sources/{Nobody}" }, { "POST", $"/api/agents/{Nobody}/scheduled_batches" },
        { "PATCH", "/api/sip" }, { "GET", $"/api/calls/{Nobody}/sip_logs" }, 
        { "GET", "/api/sip/registrations/any" },
    };

    [Fact]
    public void EachPublishedOperation_IsServedOrInTheTable_AndNothingIsInBoth()
    {
        var published = OpenApiContract.Operations.Select(operation => $"{operation.Method} {Normal(operation.Path)}").ToHashSet();
        var (served, unserved) = (Routed(isServed: true), Routed(isServed: false));
        Assert.Equal(114, published.Count);
        Assert.Empty(published.Except(served).Except(unserved));
        Assert.Empty(served.Intersect(unserved));
        Assert.Empty(unserved.Except(published));
    }

    [Theory, MemberData(nameof(Unserved))]
    public async Task WhatIsNotServed_501SaysSo_ToThoseWhoMayAsk(string method, string path)
    {
        using var client = await silo.CreateClientAsync();
        var reply = await client.SendAsync(new(method), path, method is "GET" or "DELETE" ? null : "{}");
        Assert.Equal((501, "not_implemented"), (reply.Status, reply.Json.GetProperty("code").GetString()));
        Assert.EndsWith("not served by this version yet.", reply.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);

        using var stranger = new HttpClient { BaseAddress = silo.Address };
        using var request = new HttpRequestMessage(new(method), path);
        using var refused = await stranger.SendAsync(request, SiloFixture.Cancel);
        Assert.Equal(401, (int)refused.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/api/corpora/not-a-uuid", 404)]
    [InlineData("GET", "/api/corpus", 404)]
    [InlineData("GET", $"/api/corpora/{Nobody}/nothing", 404)]
    [InlineData("DELETE", "/api/corpora", 405)]
    [InlineData("POST", "/api/schema/", 405)]
    public async Task WhatIsNotPublishedEither_IsRefusedAsEverywhere(string method, string path, int status)
    {
        using var client = await silo.CreateClientAsync();
        Assert.Equal(status, (await client.SendAsync(new(method), path)).Status);
    }

    private HashSet<string> Routed(bool isServed) =>
    [
        .. from endpoint in silo.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
           where endpoint.Metadata.GetMetadata<UnservedOperation>() is null == isServed
           from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []
           select $"{method} {Normal(endpoint.RoutePattern)}",
    ];

    private static string Normal(Microsoft.AspNetCore.Routing.Patterns.RoutePattern route)
        => "/" + string.Join('/', route.PathSegments.Select(segment => segment.IsSimple && segment.Parts[0] is Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal ? literal.Content : "{}"));

    private static string Normal(string path)
        => "/" + string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(segment => segment[0] == '{' ? "{}" : segment));
}
