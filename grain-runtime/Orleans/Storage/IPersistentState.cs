using Orleans.Core;

namespace Orleans.Runtime;

/// <summary>A named state of a grain, read before <see cref="Grain.OnActivateAsync"/>. Ask for one with <see cref="PersistentStateAttribute"/>.</summary>
public interface IPersistentState<TState> : IStorage<TState>;
