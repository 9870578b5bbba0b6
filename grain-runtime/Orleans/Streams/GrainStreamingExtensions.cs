using Microsoft.Extensions.DependencyInjection;
using Orleans.Streams;
using VoiceGrains.GrainRuntime.Streams;

namespace Orleans;

/// <summary>Streams for grains.</summary>
public static class GrainStreamingExtensions
{
    /// <summary>The provider of that name. Its streams deliver to this grain as turns of the activation.</summary>
    public static IStreamProvider GetStreamProvider(this Grain grain, string name)
    {
        ArgumentNullException.ThrowIfNull(grain);
        return ((StreamProvider)grain.Activation.ActivationServices.GetRequiredKeyedService<IStreamProvider>(name)).For(grain.Activation);
    }
}
