namespace Orleans;

/// <summary>Makes references to grains. A reference costs little, never blocks and activates nothing: its first call does.</summary>
public interface IGrainFactory
{
    /// <summary>A reference to the grain with this key.</summary>
    /// <param name="primaryKey">The grain's name. Not empty.</param>
    /// <param name="grainClassNamePrefix">Chooses between several implementations by the start of their class name.</param>
    /// <exception cref="ArgumentException">No class, or more than one, implements the interface, or the key is empty.</exception>
    TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithStringKey;
}
