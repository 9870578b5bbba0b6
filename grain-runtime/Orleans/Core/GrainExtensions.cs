using Orleans.Runtime;
using VoiceGrains.GrainRuntime.Calls;

namespace Orleans;

/// <summary>What grains and references to them have in common.</summary>
public static class GrainExtensions
{
    /// <summary>The key of a grain whose contract is <see cref="IGrainWithStringKey"/>.</summary>
    /// <exception cref="ArgumentException">The object is neither a grain nor a grain reference.</exception>
    public static string GetPrimaryKeyString(this IAddressable grain) => grain switch
    {
        GrainProxy reference => reference.GrainId.Key,
        Grain instance => instance.Activation.GrainId.Key,
        _ => throw NotAGrain(grain),
    };

    /// <summary>A reference to this grain that can be given to others: calls through it are requests like any other.</summary>
    /// <exception cref="ArgumentException">The object is neither a grain nor a grain reference, or its class has no such contract.</exception>
    public static TGrainInterface AsReference<TGrainInterface>(this IAddressable grain) => grain switch
    {
        GrainProxy reference => (TGrainInterface)(object)reference.As(typeof(TGrainInterface)),
        Grain instance => (TGrainInterface)(object)instance.Activation.AsReference(typeof(TGrainInterface)),
        _ => throw NotAGrain(grain),
    };

    private static ArgumentException NotAGrain(IAddressable grain)
    {
        ArgumentNullException.ThrowIfNull(grain);
        return new ArgumentException($"{grain.GetType()} is neither a grain nor a grain reference.", nameof(grain));
    }
}
