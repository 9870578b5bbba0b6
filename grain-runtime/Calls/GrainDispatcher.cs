using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Runtime;
using VoiceGrains.GrainRuntime.Activations;

namespace VoiceGrains.GrainRuntime.Calls;

/// <summary>Makes references and sends each request on its way.</summary>
internal sealed partial class GrainDispatcher(
    GrainClasses classes, GrainCatalog catalog, TimeProvider clock, ILogger<GrainDispatcher> logger) : IGrainFactory
{
    private readonly ConcurrentDictionary<Type, GrainInterface> _contracts = new();

    public TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithStringKey
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(primaryKey);
        var grainClass = classes.Implementing(typeof(TGrainInterface), grainClassNamePrefix);
        return (TGrainInterface)(object)CreateReference(typeof(TGrainInterface), new(grainClass.GrainType, primaryKey));
    }

    public GrainProxy CreateReference(Type contract, GrainId grainId)
    {
        if (!contract.IsAssignableFrom(classes.OfType(grainId.Type).Type))
            throw new ArgumentException($"Grain '{grainId}' does not implement {contract}.", nameof(contract));
        return GrainProxy.Create(_contracts.GetOrAdd(contract, static type => new(type)), grainId, this);
    }

    public Task<TResult> Send<TResult>(GrainMethod<TResult> method, GrainId target, object?[] arguments)
    {
        // A one-way call is nobody's call: its caller does not wait, so it takes part in no circle of waiting calls.
        var invocation = new Invocation<TResult>(method, target, arguments, method.OneWay ? null : CallContext.Current, clock);
        invocation.ObserveCancellation();
        if (!invocation.IsCompleted)
            Route(invocation);
        if (!method.OneWay)
            return invocation.Task;

        _ = ReportFailureAsync(invocation);
        return Task.FromResult(default(TResult)!);
    }

    /// <summary>Gives the request to its grain, in this process or another.</summary>
    public void Route(Invocation request)
    {
        if (catalog.Cluster is { } cluster && !(catalog.Contains(request.Target) && cluster.MayServe))
            cluster.Send(request);
        else
            catalog.Dispatch(request);
    }

    private async Task ReportFailureAsync<TResult>(Invocation<TResult> invocation)
    {
        try
        {
            await invocation.Task.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            LogOneWayFailed(invocation, exception);
        }
    }

    [LoggerMessage(1510, LogLevel.Warning, "The one-way request {Request} failed")]
    private partial void LogOneWayFailed(Invocation request, Exception exception);
}
