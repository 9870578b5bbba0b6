using System.Collections.Concurrent;
using System.Reflection;
using Orleans.Runtime;
using VoiceGrains.GrainRuntime.Activations;

namespace VoiceGrains.GrainRuntime.Calls;

/// <summary>A grain reference. Equal to every other reference of the same contract to the same grain.</summary>
internal class GrainProxy : DispatchProxy, IAddressable
{
    private GrainInterface _contract = null!;
    private GrainDispatcher _dispatcher = null!;

    public GrainId GrainId { get; private set; }

    public static GrainProxy Create(GrainInterface contract, GrainId grainId, GrainDispatcher dispatcher)
    {
        var proxy = (GrainProxy)Create(contract.Type, typeof(GrainProxy));
        (proxy._contract, proxy.GrainId, proxy._dispatcher) = (contract, grainId, dispatcher);
        return proxy;
    }

    public GrainProxy As(Type contract) =>
        contract.IsInstanceOfType(this) ? this : _dispatcher.CreateReference(contract, GrainId);

    public override bool Equals(object? obj) => obj is GrainProxy other && other.GrainId == GrainId && other._contract.Type == _contract.Type;

    public override int GetHashCode() => GrainId.GetHashCode();

    public override string ToString() => $"{_contract.Type.Name}:{GrainId}";

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        _contract.Method(targetMethod!).Call(_dispatcher, GrainId, args ?? []);
}

/// <summary>A grain contract and its compiled methods.</summary>
internal sealed class GrainInterface(Type type)
{
    private readonly ConcurrentDictionary<MethodInfo, GrainMethod> _methods = new();

    public Type Type => type;

    public GrainMethod Method(MethodInfo method) => _methods.GetOrAdd(method, static method => GrainMethod.Create(method));
}
