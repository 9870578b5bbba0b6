using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Gateway.Cluster;

/// <summary>For operators, beside the public contract: who is in the cluster. Any valid key may ask.</summary>
internal static class ClusterEndpoints
{
    public static void MapCluster(this IEndpointRouteBuilder routes)
        => routes.MapGet("/api/cluster/silos", ListAsync).ExcludeFromDescription();

    private static async Task<Ok<SiloResponse[]>> ListAsync(IClusterMembership membership, LiveCallCounts counts, CancellationToken cancellationToken)
    {
        var silos = await membership.ListAsync(cancellationToken);
        var live = await counts.BySiloAsync(cancellationToken);
        return TypedResults.Ok(silos.Select(silo => SiloResponse.From(silo, live.GetValueOrDefault(silo.Id) + (silos.Count == 1 ? live.GetValueOrDefault("") : 0))).ToArray());
    }
}

/// <param name="Load">Share of the most activations that are in use, 0 to 1.</param>
/// <param name="LiveCalls">Calls with a client right now.</param>
internal sealed record SiloResponse(
    string Id, string Name, string Version, string? Address, IReadOnlyList<string> Roles, IReadOnlyDictionary<string, string> Labels,
    int Activations, double Load, int LiveCalls, bool Draining, DateTimeOffset Started)
{
    public static SiloResponse From(SiloInfo silo, int liveCalls) => new(
        silo.Id, silo.Name, silo.Version, silo.Address, silo.Roles, silo.Labels, silo.Activations, silo.Load, liveCalls, silo.Draining, silo.Started);
}
