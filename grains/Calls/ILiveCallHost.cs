using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls;

/// <summary>Runs conversations on this silo, for its media ingress.</summary>
public interface ILiveCallHost
{
    /// <summary>Runs a joined call over <paramref name="port"/> until it ends, and tells its grain. Never throws.</summary>
    Task RunAsync(CallSnapshot call, IMediaPort port, CancellationToken stopping);
}
