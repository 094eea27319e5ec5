// A defect in one screen is shown as such; head, language and the other screens stay usable.
import { Component, type ReactNode } from "react";

interface Props {
  children: ReactNode;
  fallback: (error: Error, again: () => void) => ReactNode;
}

export class Boundary extends Component<Props, { error: Error | null }> {
  state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  render() {
    const { error } = this.state;
    return error ? this.props.fallback(error, () => this.setState({ error: null })) : this.props.children;
  }
}
