using Orleans.Runtime;

namespace Orleans;

/// <summary>Marks an interface as a grain contract. Its methods return <see cref="Task"/>, <see cref="Task{TResult}"/>, <see cref="ValueTask"/> or <see cref="ValueTask{TResult}"/>.</summary>
public interface IGrain : IAddressable;

/// <summary>A grain contract whose grains are named by a string.</summary>
public interface IGrainWithStringKey : IGrain;
