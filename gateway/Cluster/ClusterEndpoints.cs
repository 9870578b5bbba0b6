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

    /// <param name="lapsed">Whether to add those whose lease ended within the last minute.</param>
    private static async Task<Ok<SiloResponse[]>> ListAsync(IClusterMembership membership, LiveCallCounts counts, CancellationToken cancellationToken, bool lapsed = false)
    {
        var silos = await membership.ListAsync(cancellationToken);
        var dead = lapsed ? await membership.ListLapsedAsync(cancellationToken) : [];
        var live = await counts.BySiloAsync(cancellationToken);
        return TypedResults.Ok<SiloResponse[]>(
        [
            .. silos.Select(silo => SiloResponse.From(silo, silo.Draining ? "draining" : "active", live.GetValueOrDefault(silo.Id) + (silos.Count == 1 ? live.GetValueOrDefault("") : 0))),
            .. dead.Select(silo => SiloResponse.From(silo, "lapsed", live.GetValueOrDefault(silo.Id))),
        ]);
    }
}

/// <param name="State"><c>active</c>, <c>draining</c>, or <c>lapsed</c>: its lease has ended.</param>
/// <param name="Load">Share of the most activations that are in use, 0 to 1.</param>
/// <param name="LiveCalls">Calls with a client right now.</param>
internal sealed record SiloResponse(
    string Id, string Name, string Version, string? Address, string State, IReadOnlyList<string> Roles, IReadOnlyDictionary<string, string> Labels,
    int Activations, int MaxActivations, double Load, int LiveCalls, bool Draining, DateTimeOffset Started)
{
    public static SiloResponse From(SiloInfo silo, string state, int liveCalls) => new(
        silo.Id, silo.Name, silo.Version, silo.Address, state, silo.Roles, silo.Labels,
        silo.Activations, silo.MaxActivations, silo.Load, liveCalls, silo.Draining, silo.Started);
}
